package wire

// Preset is a set of resources for a well-known product.
type Preset struct {
	Name        string   `json:"name"`
	Title       string   `json:"title" doc:"The product."`
	Description string   `json:"description" doc:"One sentence."`
	Resources   []string `json:"resources" nullable:"false" doc:"What is in it, such as SessionRule/keycloak."`
	YAML        string   `json:"yaml,omitempty" doc:"The resources as they can be applied, with comments; absent in lists."`
}
