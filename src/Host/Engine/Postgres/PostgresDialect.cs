using System.Buffers.Binary;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Host.Engine.Postgres;

/// <summary>PostgreSQL: many writers, one of each node.</summary>
sealed class PostgresDialect(PostgresSource source, JournalLimits limits, IJournalFaults faults, string writer) : IJournalDialect
{
    /// <summary>The lock that this writer's transactions hold one after another; its id is random in its last half.</summary>
    readonly long _lock = BinaryPrimitives.ReadInt64BigEndian(Guid.Parse(writer).ToByteArray(bigEndian: true).AsSpan(8));

    public IJournalConnection Connect()
    {
        // A writer that has to connect anew has lost its connection, and those that wait in the pools are dead as well.
        source.ForgetIdle();
        var connection = source.Single();
        try
        {
            // Before the checks, which then see what this connection has.
            PostgresJournalConnection.Harden(connection, limits);
            PostgresChecks.Check(connection, source, serving: true);
            faults.Opened(connection);
            return new PostgresJournalConnection(connection, source, _lock, limits);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
