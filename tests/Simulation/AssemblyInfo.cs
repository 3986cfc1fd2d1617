// One history at a time: a run owns its thread, and the figures are written in order.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
