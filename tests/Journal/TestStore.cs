using System.Data.Common;
using ControlPlane.Host.Engine.Journal;

namespace ControlPlane.Journal.Tests;

/// <summary>A database for one test, on which several nodes can be started. It is gone after the test.</summary>
abstract class TestStore : IDisposable
{
    public abstract Task<JournalNode> Start(JournalLimits? limits = null, Faults? faults = null, string hocon = "");

    /// <summary>A connection that is nobody else's; the caller disposes it.</summary>
    public abstract DbConnection Connect();

    /// <summary>The database itself finds nothing broken.</summary>
    public abstract void Check();

    public object? Scalar(string sql)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    public abstract void Dispose();
}
