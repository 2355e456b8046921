package terminal

import "math"

// fractionSteps is how fine a confidence, a score or a share is written: to a thousandth. The digits beyond are noise of
// adding and multiplying, such as 0.9499999999999998.
const fractionSteps = 1000

// Fraction is f, which is from 0 to 1, as it is written for machines. What is not quite 1 does not become 1, nor what is
// not quite 0, 0: certain and none at all are words of their own.
func Fraction(f float64) float64 {
	rounded := math.Round(f*fractionSteps) / fractionSteps
	switch {
	case rounded == 1 && f < 1-fractionNoise:
		return 1 - 1.0/fractionSteps
	case rounded == 0 && f > fractionNoise:
		return 1.0 / fractionSteps
	default:
		return rounded
	}
}

// fractionNoise is how far from its true value a fraction may be by calculating.
const fractionNoise = 1e-9
