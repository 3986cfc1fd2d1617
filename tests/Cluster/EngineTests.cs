using Akka.Dispatch;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Shell;
using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Journal;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Cluster;

public sealed class EngineTests
{
    static Envelope DefineVm(string vm) => new(
        EntityId.Vm(vm), $"define-{vm}", "operator:ann", "corr", new DefineVm(new VmDefinition("hv01", [])));

    static Envelope DefineSwitch(string host) => new(
        EntityId.Switch(host, "sw"), $"define-{host}", "operator:ann", "corr",
        new DefineSwitch(new SwitchDefinition(SwitchKind.Private, null, DriftPolicy.Report, [])));

    [Fact]
    public async Task Engine_of_one_node_answers_in_both_regions()
    {
        await using var engine = await EngineRig.Start();
        var vm = await engine.Ask(DefineVm("web-1"));
        Assert.Null(vm.Refusal);
        Assert.Equal(1, vm.Sequence);
        var sw = await engine.Ask(DefineSwitch("hv01"));
        Assert.Null(sw.Refusal);
        Assert.Equal(vm, await engine.Ask(DefineVm("web-1")));
    }

    [Fact]
    public async Task Persistent_actors_have_the_small_mailbox()
    {
        await using var engine = await EngineRig.Start();
        var mailbox = engine.System.Mailboxes.LookupByQueueType(typeof(IUnboundedDequeBasedMessageQueueSemantics));
        Assert.IsType<EntityMailbox>(mailbox);
    }

    [Fact]
    public async Task Node_alone_with_open_work_ends_at_once()
    {
        var engine = await EngineRig.Start();
        Assert.Null((await engine.Ask(DefineSwitch("hv01"))).Refusal);
        var before = TimeProvider.System.GetTimestamp();
        await engine.DisposeAsync();
        Assert.InRange(TimeProvider.System.GetElapsedTime(before), TimeSpan.Zero, TimeSpan.FromSeconds(6));
    }

    [Fact]
    public async Task Engine_on_a_file_knows_after_a_restart_what_it_answered()
    {
        var folder = Directory.CreateTempSubdirectory("engine-");
        try
        {
            var (first, last) = (default(Answer), default(Answer));
            using (var file = JournalFile.Open(Path.Combine(folder.FullName, "journal.db")))
            {
                await using var engine = await EngineRig.Start(journal: JournalSettings.Sqlite(file));
                first = await engine.Ask(DefineVm("web-1"));
                // Enough for a snapshot of a VM, so that the next life begins with one.
                for (var n = 0; n < 520; n++)
                {
                    last = await engine.Ask(DefineVm("web-1") with { MessageId = $"again-{n}" });
                }
                Assert.Null(first.Refusal);
                Assert.Equal(521, last!.Sequence);
            }
            using (var file = JournalFile.Open(Path.Combine(folder.FullName, "journal.db")))
            {
                await using var engine = await EngineRig.Start(journal: JournalSettings.Sqlite(file));
                Assert.Equal(last!.Reply, (await engine.Ask(DefineVm("web-1") with { MessageId = "again-519" })).Reply);
                Assert.Equal(522, (await engine.Ask(DefineVm("web-1") with { MessageId = "new" })).Sequence);
            }
        }
        finally
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("UPDATE journal SET manifest = 'VmPainted.1'", FaultKind.NeedsNewerNode)]
    [InlineData("UPDATE journal SET message = CAST(REPLACE(CAST(message AS TEXT), 'operator:ann', 'operator:bob') AS BLOB)", FaultKind.CorruptHistory)]
    [InlineData("UPDATE journal SET message = x'00'", FaultKind.CorruptHistory)]
    public async Task Spoiled_row_stops_its_entity_and_no_other(string how, FaultKind kind)
    {
        var folder = Directory.CreateTempSubdirectory("engine-");
        try
        {
            var path = Path.Combine(folder.FullName, "journal.db");
            using var file = JournalFile.Open(path);
            await using (var engine = await EngineRig.Start(journal: JournalSettings.Sqlite(file)))
            {
                Assert.Null((await engine.Ask(DefineVm("web-1"))).Refusal);
                Assert.Null((await engine.Ask(DefineVm("web-2"))).Refusal);
            }
            using (var database = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={path}"))
            {
                database.Open();
                using var command = database.CreateCommand();
                command.CommandText = $"{how} WHERE persistence_id = 'vm/web-1'";
                Assert.Equal(1, command.ExecuteNonQuery());
            }
            await using (var engine = await EngineRig.Start(journal: JournalSettings.Sqlite(file)))
            {
                var fault = new TaskCompletionSource<EntityFault>();
                engine.System.EventStream.Subscribe(
                    engine.System.ActorOf(Akka.Actor.Props.Create(() => new Faults(fault))), typeof(EntityFault));
                Assert.Equal(RefusalKind.Unknown, (await engine.Ask(DefineVm("web-1"), seconds: 3)).Refusal!.Kind);
                Assert.Equal((EntityId.Vm("web-1"), kind), ((await fault.Task).Entity, (await fault.Task).Kind));
                Assert.Null((await engine.Ask(DefineVm("web-2"))).Refusal);
            }
        }
        finally
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            folder.Delete(recursive: true);
        }
    }

    sealed class Faults : Akka.Actor.ReceiveActor
    {
        public Faults(TaskCompletionSource<EntityFault> first) => Receive<EntityFault>(fault => first.TrySetResult(fault));
    }

    [Fact]
    public async Task Closed_gate_refuses_at_the_door()
    {
        await using var engine = await EngineRig.Start();
        engine.JournalIsOpen = false;
        var refusal = (await engine.Ask(DefineVm("web-1"))).Refusal!;
        Assert.Equal(("journal.unavailable", RefusalKind.Unavailable), (refusal.Code, refusal.Kind));
        engine.JournalIsOpen = true;
        Assert.Null((await engine.Ask(DefineVm("web-1"))).Refusal);
    }

    [Fact]
    public async Task Silence_is_unknown_and_a_crowd_is_refused()
    {
        await using var engine = await EngineRig.Start(_ => new Silent());
        var asks = Enumerable.Range(0, Numbers.AsksPerEntity + 1)
            .Select(n => engine.Ask(DefineVm("web-1") with { MessageId = $"m{n}" }, seconds: 1)).ToArray();
        Assert.Equal("actor.overloaded", (await asks[^1]).Refusal!.Code);
        Assert.Equal(("request.timeout", RefusalKind.Unknown), (await asks[0]).Refusal is { } late ? (late.Code, late.Kind) : default);
        await Task.WhenAll(asks);
        Assert.Equal("request.timeout", (await engine.Ask(DefineVm("web-1"), seconds: 1)).Refusal!.Code);
    }

    [Fact]
    public async Task Entity_that_sleeps_with_open_work_is_woken_when_the_journal_is_well()
    {
        var started = 0;
        await using var engine = await EngineRig.Start(_ =>
        {
            Interlocked.Increment(ref started);
            return new Silent();
        });
        engine.JournalIsOpen = false;
        engine.Entities.WakeLater(EntityId.Vm("web-1"));
        await Task.Delay(1_500);
        Assert.Equal(0, started);
        engine.JournalIsOpen = true;
        for (var n = 0; n < 100 && started == 0; n++)
        {
            await Task.Delay(100);
        }
        Assert.Equal(1, started);
    }

    [Theory]
    [InlineData("host", "bridge/hv01", "switch/hv01/sw", "port/hv01/sw/p1", "nic/hv01/sw/p1/0")]
    [InlineData("vm", "vm/web-1", "nic/web-1/eth0")]
    public void What_belongs_together_is_on_one_shard(string region, params string[] ids)
    {
        var all = ids.Select(id => EntityId.Parse(id)!.Value).ToArray();
        Assert.All(all, id => Assert.Equal(region, id.Region));
        Assert.Single(all.Select(ShardIds.Of).Distinct());
    }

    [Fact]
    public void Shard_of_a_name_is_for_ever()
    {
        Assert.Equal(
            "hv01=37 hv02=38 web-1=31 db=7",
            string.Join(' ', new[] { "hv01", "hv02", "web-1", "db" }.Select(name => $"{name}={ShardIds.Of(EntityId.Vm(name))}")));
    }

    sealed class Silent : IEntityCore
    {
        public long Sequence => 0;
        public bool HasOpenWork => false;
        public bool MayOweWork => false;
        public IReadOnlyList<Output> Step(Input input, DateTimeOffset now) => input is Input.Stop ? [new Output.End("handed over")] : [];
    }
}
