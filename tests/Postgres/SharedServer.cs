// Servers one after another: several at once, with replication, are too much for two cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace ControlPlane.Postgres.Tests;

/// <summary>One server for all tests that do not stop it.</summary>
public sealed class SharedServer : IDisposable
{
    readonly Lazy<PostgresServer> _server = new(() => PostgresServer.Start());
    int _databases;

    internal PostgresServer Server => _server.Value;

    /// <summary>A database that nobody else uses.</summary>
    internal string NewDatabase()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        Server.Execute($"CREATE DATABASE {name}");
        return name;
    }

    internal PostgresStore NewStore() => new(Server, NewDatabase());

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            _server.Value.Dispose();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class OnSharedServer : ICollectionFixture<SharedServer>
{
    public const string Name = "shared server";
}
