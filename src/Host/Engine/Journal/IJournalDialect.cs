using Akka.Persistence.Sql.Journal.Types;

namespace ControlPlane.Host.Engine.Journal;

/// <summary>
/// What differs from database to database in the write path. A dialect whose server can downgrade a commit after the
/// fact (PostgreSQL's notice 01000 about synchronous replication) throws from <see cref="IJournalConnection.Commit"/>:
/// the batch is then in doubt and is not acknowledged as durable.
/// </summary>
interface IJournalDialect
{
    /// <summary>Opens a writer, sets its durability, and checks that the tables and the unique key are there.</summary>
    IJournalConnection Connect();
}

/// <summary>One writer's connection, used by one thread. It is thrown away after any failure of a whole batch.</summary>
interface IJournalConnection : IDisposable
{
    /// <summary>
    /// Begins a transaction that excludes every other writer of these rows; waits for them for a bounded time. When it
    /// returns, no transaction that an earlier connection left behind can commit any more.
    /// </summary>
    void Begin();

    /// <summary>
    /// Adds the rows of every write that has no verdict yet, of each write all or none. A write that meets a number that is
    /// taken, or rows that are refused for what they are, gets its verdict, and the transaction goes on without it.
    /// </summary>
    void Insert(WriteAttempt attempt);

    /// <summary>The last place in the journal, including this transaction's rows.</summary>
    JournalPlace LastPlace();

    void Commit();

    void Rollback();

    /// <summary>
    /// After COMMIT threw: true when the database itself says that nothing was stored. False means: look it up.
    /// </summary>
    bool IsRolledBack(Exception commitFailure);

    /// <summary>Whether exactly this row, by this writer, is stored.</summary>
    bool Holds(JournalRow row);

    /// <summary>
    /// Writes something harmless into the open transaction, so that committing it leaves no trace of a failed commit
    /// for a later crash recovery to find.
    /// </summary>
    void Supersede();
}
