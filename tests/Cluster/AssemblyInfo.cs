// Clusters one after another: two of three nodes each, at once on two cores, are slow where the product is not.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
