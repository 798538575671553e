package graph

// resolvers hands each type's resolvers to what is generated.
type resolvers struct{ api *API }

func (r resolvers) Root_Query() Root_QueryResolver         { return queries{r.api} }
func (r resolvers) Root_Mutations() Root_MutationsResolver { return mutations{r.api} }
func (r resolvers) Subscription() SubscriptionResolver     { return subscriptions{r.api} }
func (resolvers) Job() JobResolver                         { return jobFields{} }
func (resolvers) Batch() BatchResolver                     { return batchFields{} }
func (resolvers) Pipeline() PipelineResolver               { return pipelineFields{} }
func (resolvers) PipelineStep() PipelineStepResolver       { return stepFields{} }
