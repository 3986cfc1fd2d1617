using System.Diagnostics;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Host.Engine.Postgres;
using ControlPlane.Host.Projections;
using ControlPlane.Host.Projections.Postgres;
using ControlPlane.Journal.Tests;
using ControlPlane.Messages;
using Npgsql;

namespace ControlPlane.Postgres.Tests;

/// <summary>Too little of something: connections, or space.</summary>
[Collection(OnSharedServer.Name)]
public sealed class ShortageTests(SharedServer shared) : IDisposable
{
    readonly List<IDisposable> _after = [];

    public void Dispose() => _after.ForEach(end => end.Dispose());

    [PostgresFact]
    public async Task A_pool_that_is_used_up_refuses_reads_in_time_and_costs_neither_a_lease_nor_a_commit()
    {
        var store = Store();
        var source = store.Open(new PostgresOptions(store.Connection) { Pool = PostgresOptions.PoolMin });
        await using var node = await PostgresStore.Start(source);
        var entity = node.Entity("vm/1");
        await JournalNode.Read(entity);
        var taken = Enumerable.Range(0, PostgresOptions.PoolMin).Select(_ => source.Pool.OpenConnection()).ToList();

        var watch = Stopwatch.StartNew();
        Assert.Throws<NpgsqlException>(() => new ReadTables(new PostgresReadDatabase(source, "one")).Present(EntityId.Vm("web-1")));
        Assert.InRange(watch.Elapsed, TimeSpan.Zero, PostgresLimits.ConnectMax + TimeSpan.FromSeconds(5));

        await using (var lease = await source.Leases.OpenConnectionAsync())
        {
            Assert.True((await JournalNode.Append(entity, "1")).Stored);
        }
        taken.ForEach(connection => connection.Dispose());
        Assert.Null(new ReadTables(new PostgresReadDatabase(source, "one")).Present(EntityId.Vm("web-1")));
    }

    [PostgresFact(NeedsRoot = "a small disk has to be mounted")]
    public async Task A_disk_that_is_full_is_rolled_back_and_says_so_and_the_journal_opens_when_there_is_room()
    {
        var store = Store();
        await using var node = await store.Start(new JournalLimits { ProbeEvery = TimeSpan.FromMilliseconds(50) });
        var disk = new SmallDisk();
        _after.Add(disk);
        var server = shared.Server;
        var space = $"small_{Environment.ProcessId}";
        server.Execute($"CREATE TABLESPACE {space} LOCATION '{disk.Path}'");
        store.Scalar($"ALTER TABLE controlplane.journal SET TABLESPACE {space}");
        var entity = node.Entity("vm/1");
        Assert.True((await JournalNode.Append(entity, "1")).Stored);

        Journal.Tests.Answer answer;
        var filled = 0;
        do
        {
            answer = await JournalNode.Append(node.Entity($"large-{filled++}"), Incompressible(filled));
        }
        while (answer.Stored);

        var failure = Assert.IsType<JournalUnavailableException>(answer.Failure);
        Assert.Contains("53100", failure.Message, StringComparison.Ordinal);
        Assert.Equal(WriteOutcome.RolledBack, failure.Outcome);
        store.Scalar("ALTER TABLE controlplane.journal SET TABLESPACE pg_default");
        server.Execute($"DROP TABLESPACE {space}");
        await JournalNode.Until(() => node.Health.IsOpen);
        Assert.Equal(["1"], await node.ReadFresh("vm/1"));
        Assert.True((await JournalNode.Append(node.Entity("vm/1"), "2")).Stored);
    }

    PostgresStore Store()
    {
        var store = shared.NewStore();
        _after.Insert(0, store);
        return store;
    }

    static string Incompressible(int seed)
    {
        var bytes = new byte[100_000];
        new Random(seed).NextBytes(bytes);
        return Convert.ToBase64String(bytes);
    }

    sealed class SmallDisk : IDisposable
    {
        public SmallDisk()
        {
            Run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", Path);
            Run("chown", "postgres", Path);
        }

        public string Path { get; } = Directory.CreateTempSubdirectory("disk-").FullName;

        public void Dispose()
        {
            Run("umount", "-l", Path);
            Directory.Delete(Path);
        }

        static void Run(params string[] command)
        {
            using var process = Process.Start(command[0], command[1..]);
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
        }
    }
}
