namespace ControlPlane.Simulation;

/// <summary>
/// What a node was told of one thing that changes. Each change has a number, higher than those before it; news come in any
/// order, and the highest is the newest.
/// </summary>
sealed class Told<T>(Mutant mutant)
    where T : class
{
    public long Number { get; private set; }

    /// <summary>Null: it was told nothing.</summary>
    public T? What { get; private set; }

    /// <summary>False: it is no news.</summary>
    public bool Hear(long number, T what)
    {
        if (number == Number || (number < Number && mutant != Mutant.OldHomeBelieved))
        {
            return false;
        }
        (Number, What) = (number, what);
        return true;
    }
}
