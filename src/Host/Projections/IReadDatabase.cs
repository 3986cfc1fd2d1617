using System.Data.Common;

namespace ControlPlane.Host.Projections;

/// <summary>Where the read tables are. They can be thrown away: empty ones are filled again from the journal.</summary>
interface IReadDatabase
{
    /// <summary>A connection from the pool; the caller disposes it.</summary>
    DbConnection Open();

    /// <summary>A connection for the one who writes the tables, and the position that they show.</summary>
    (DbConnection Connection, ITablePosition Position) OpenWriter();
}

/// <summary>
/// The position that the tables show, which is kept in them, and whose turn it is to move it: of all nodes one fills the
/// tables, and each of its transactions finds out whether it still does.
/// </summary>
interface ITablePosition
{
    FeedPosition Read();

    /// <summary>Takes the turn, or keeps it; false while another node has it.</summary>
    bool Take();

    /// <summary>Inside a transaction: true if the turn is ours, the tables are where we believe them to be, and both stay so until its end.</summary>
    bool Hold(FeedPosition expected, DbTransaction transaction);

    void Move(FeedPosition to, DbTransaction transaction);

    /// <summary>Leaves the turn to the others at once.</summary>
    void Release();
}
