using System.Data.Common;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>Where tests make the database slow, full, absent or silent. The product has <see cref="NoFaults"/>.</summary>
interface IJournalFaults
{
    void Opened(DbConnection writer);

    void BeforeBegin();

    /// <summary>From here on the outcome is in doubt: throwing is a commit that failed without saying how.</summary>
    void BeforeCommit();

    /// <summary>Throwing here is the lost answer: it is stored, and nobody was told.</summary>
    void AfterCommit();

    void BeforeLookup();
}

sealed class NoFaults : IJournalFaults
{
    public static readonly NoFaults Instance = new();

    NoFaults()
    {
    }

    public void Opened(DbConnection writer)
    {
    }

    public void BeforeBegin()
    {
    }

    public void BeforeCommit()
    {
    }

    public void AfterCommit()
    {
    }

    public void BeforeLookup()
    {
    }
}
