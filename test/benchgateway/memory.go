package main

import (
	"context"
	"fmt"
	"time"
)

// watchMemory prints the memory of a proxy while it is under load.
func watchMemory(ctx context.Context, s *subject, o *options) error {
	const samples = 30
	fmt.Printf("minutes  MB\n")
	start := time.Now()
	for range samples {
		if _, err := s.paced(ctx, o.rate, o.memory/samples, o.connections); err != nil {
			return err
		}
		fmt.Printf("%7.1f  %.0f\n", time.Since(start).Minutes(), s.memory())
	}
	return nil
}
