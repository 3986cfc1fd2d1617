using System.Text.Json;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>Every cell of (state, command): an answer or a refusal that names its rule, and a state that follows from the answer.</summary>
public sealed class TableTests
{
    static readonly EntityId Sw = EntityId.Switch("hv01", "sw");
    static readonly EntityId PortId = EntityId.Port("hv01", "sw", "p7");
    static readonly EntityId NicId = EntityId.Nic("web", "eth0");
    static readonly RefusedBy By = new(1, "filter", NdisStatus.DataNotAccepted);

    static readonly OidCode[] Oids =
    [
        OidCode.PortCreate, OidCode.PortUpdated, OidCode.PortTeardown, OidCode.PortDelete, OidCode.NicCreate, OidCode.NicConnect,
        OidCode.NicUpdated, OidCode.NicDisconnect, OidCode.NicDelete, OidCode.PortPropertyAdd, OidCode.PortPropertyUpdate,
        OidCode.PortPropertyDelete, OidCode.PortPropertyEnum, OidCode.PortFeatureStatusQuery, OidCode.NicSave, OidCode.NicSaveComplete,
        OidCode.NicRestore, OidCode.NicRestoreComplete, OidCode.NicSuspend, new(0x000102ff),
    ];

    static readonly OidParameters?[] Payloads =
    [
        null, new PortParameters("p7"), new NicParameters("eth0", VmName: "web"), new NicParameters("a", NicType.External),
        new PropertyParameters(PropertyType.Security, "i1"), new PropertyParameters(PropertyType.Vlan, "i1", Value: JsonElement.Parse(
            """{"operationMode":"access","accessVlanId":10}""")),
        new NicParameters("eth0", VmName: "web", PermanentMacAddress: "00:15:5d:00:00:07"), new NicParameters("a", NicType.Internal),
    ];

    [Fact]
    public void Every_state_answers_every_command_and_follows_its_own_answer()
    {
        Assert.True(Cells<PortLifecycle, PortState, PortEvent>(PortLifecycle.Initial(PortId)) > 1_000);
        Assert.True(Cells<NicLifecycle, NicState, NicEvent>(NicLifecycle.Initial(NicId)) > 1_000);
    }

    [Fact]
    public void Port_has_only_the_edges_of_the_graph() => Assert.Equal(
        [
            "Created PORT_DELETE NotCreated", // validation ports alone, 8.18
            "Created PORT_TEARDOWN TearingDown", // T3, T9
            "NotCreated PORT_CREATE Created", // T1
            "TearingDown PORT_DELETE NotCreated", // T10
        ],
        Edges<PortLifecycle, PortState, PortEvent>(PortLifecycle.Initial(PortId), state => state.Name));

    [Fact]
    public void Nic_has_only_the_edges_of_the_graph() => Assert.Equal(
        [
            "Absent NIC_CREATE Created", // T2, T8
            "Connected NIC_DISCONNECT Disconnected", // T6
            "Created NIC_CONNECT Connected", // T4
            "Created NIC_DELETE Absent", // T5
            "Disconnected NIC_DELETE Absent", // T7
        ],
        Edges<NicLifecycle, NicState, NicEvent>(NicLifecycle.Initial(NicId), state => state.Name));

    /// <summary>Walks all states that commands lead to, a few levels deep, and tries every command in each.</summary>
    static int Cells<TLifecycle, TState, TEvent>(TState initial)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event
    {
        var cells = 0;
        foreach (var state in Reachable<TLifecycle, TState, TEvent>(initial))
        {
            Assert.Equal(Ids(TLifecycle.Outstanding(state)), Ids(TLifecycle.Outstanding(state)));
            foreach (var command in Commands())
            {
                cells++;
                var decision = TLifecycle.Decide(state, command, Turn(command));
                if (decision is Decision<TEvent>.Refused(var refusal))
                {
                    Assert.Matches("^[a-z-]+(\\.[a-z-]+)+$", refusal.Code);
                    Assert.False(string.IsNullOrWhiteSpace(refusal.Detail));
                    Assert.True(refusal.Rule is not null || refusal.Kind != RefusalKind.Conflict || refusal.Code.StartsWith("hold.", StringComparison.Ordinal), refusal.Code);
                }
                else
                {
                    var accepted = (Decision<TEvent>.Accepted)decision;
                    var after = accepted.Events.Aggregate(state, TLifecycle.Evolve);
                    Assert.Distinct(Ids(TLifecycle.Outstanding(after)));
                    Assert.True(accepted.Reply is not null || accepted.Events.Length > 0 || Turn(command).MessageId.Length == 0, $"{state}: no answer to {command}");
                }
            }
        }
        return cells;
    }

    /// <summary>Edges between named states: an OID, completed with success where it goes to the data path or the NIC.</summary>
    static SortedSet<string> Edges<TLifecycle, TState, TEvent>(TState initial, Func<TState, string> name)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event
    {
        var edges = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var state in Reachable<TLifecycle, TState, TEvent>(initial).Where(state => !TLifecycle.Outstanding(state).OfType<Effect.Ask>().Any()))
        {
            foreach (var command in Commands().OfType<ArriveOid>().Where(arrival => arrival.Refused is null))
            {
                var after = Follow<TLifecycle, TState, TEvent>(state, command);
                after = TLifecycle.Outstanding(after).OfType<Effect.Ask>().FirstOrDefault() is { } ask
                    ? Follow<TLifecycle, TState, TEvent>(after, new AnswerArrived(ask.Id, Success(ask), null))
                    : after;
                if (name(after) != name(state))
                {
                    edges.Add($"{name(state)} {command.Request.Oid} {name(after)}".Replace("OID_SWITCH_", "", StringComparison.Ordinal));
                }
            }
        }
        return edges;
    }

    static Reply Success(Effect.Ask ask) => ask.Body is IssueCommand issue
        ? new CommandDone(new Completion(issue.Command.CommandId, NdisStatus.Success))
        : new OidSettled(NdisStatus.Success, null, "Created", "Created");

    static IReadOnlyList<TState> Reachable<TLifecycle, TState, TEvent>(TState initial)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event
    {
        var seen = new Dictionary<string, TState> { [Key(initial)] = initial };
        var level = new List<TState> { initial };
        while (level.Count > 0 && seen.Count < 400)
        {
            level = [.. level.SelectMany(state => Commands().Select(command => Follow<TLifecycle, TState, TEvent>(state, command)))
                .Where(state => seen.TryAdd(Key(state), state))];
        }
        return [.. seen.Values];
    }

    /// <summary>Two states are one here if they differ in counters alone.</summary>
    static string Key<TState>(TState state) => state switch
    {
        PortState port => $"{port.GetType().Name} {(port as PortState.Created)?.Oid?.Request.Oid} {port.BodyOrNull?.Nics.Count} "
            + $"{port.BodyOrNull?.Parameters.IsValidationPort} {Key(port.BodyOrNull?.Drain)} {port.BodyOrNull?.Properties.Count} "
            + $"{(port as PortState.Created)?.Proposal is not null}",
        NicState nic => $"{nic.GetType().Name} {nic.BodyOrNull?.Parameters.NicType} {nic.BodyOrNull?.Drift?.Stage} {Key(nic.BodyOrNull?.Drain)} "
            + $"{nic.BodyOrNull?.Work?.GetType().Name} {nic.BodyOrNull?.Transfer?.Open} {(nic as NicState.Creating)?.Undoing is not null} {nic.BodyOrNull?.Policy is not null}",
        _ => throw new InvalidOperationException(state?.ToString()),
    };

    static string Key(Drain? drain) => drain is null ? "" : $"{drain.Holds.Count} {drain.Packets} {drain.Oids} {drain.Waiters.Length > 0} {drain.Stuck}";

    static TState Follow<TLifecycle, TState, TEvent>(TState state, Command command)
        where TLifecycle : ILifecycle<TState, TEvent>
        where TState : class
        where TEvent : Event =>
        TLifecycle.Decide(state, command, Turn(command)) is Decision<TEvent>.Accepted(var events, _, _)
            ? events.Aggregate(state, TLifecycle.Evolve)
            : state;

    static Turn Turn(Command command) =>
        new(DateTimeOffset.UnixEpoch, command is AnswerArrived or TimerElapsed ? "" : "m1", "test", "m1", null);

    static IEnumerable<Command> Commands()
    {
        foreach (var oid in Oids)
        {
            foreach (var payload in Payloads)
            {
                yield return new ArriveOid(new OidRequest("r1", oid, 7, 0, payload), Sw, PortId, NicId, null);
            }
            yield return new ArriveOid(new OidRequest("r1", oid, 7, 1, Payloads[2]), Sw, PortId, NicId, oid.Refusable ? By : null);
            yield return new ArriveOid(new OidRequest("r1", oid, 7, 0, Fitting(oid)), Sw, PortId, NicId, oid.Refusable ? By : null);
        }
        yield return new ArriveOid(
            new OidRequest("r1", OidCode.PortCreate, 7, 0, new PortParameters("p7", IsValidationPort: true)), Sw, PortId, null, null);
        foreach (var observed in new[] { null, Device(false, false), Device(true, false), Device(true, true) })
        {
            foreach (var status in new[] { NdisStatus.Success, NdisStatus.Resources })
            {
                yield return new AnswerArrived("e", new CommandDone(new Completion("c", status, null, observed)), null);
            }
        }
        yield return new AnswerArrived("e", new CommandDone(new Completion("c", NdisStatus.Success, null, Device(true, true), new NicRuntime([], 0, []))), null);
        yield return new AnswerArrived("e", new OidSettled(NdisStatus.Success, null, "Created", "Created"), null);
        yield return new AnswerArrived("e", new OidSettled(NdisStatus.Failure, By, "Created", "Absent"), null);
        yield return new AnswerArrived("e", null, new Refusal(RefusalKind.Conflict, "nic.create.exists", "There is one."));
        yield return new AnswerArrived("e", new DriftAnswer(true), null);
        yield return new AnswerArrived("e", new DriftAnswer(false), null);
        yield return new ArriveOid(
            new OidRequest("r1", OidCode.NicCreate, 7, 0, Payloads[6]), Sw, PortId, NicId, null, Policy: PortPolicy.Default, Restoring: true);
        yield return new EnforcePolicy("r1", PortPolicy.Default with { AllowMacSpoofing = true });
        yield return new ReadRuntime();
        yield return new RestoreRuntime("r1", new NicRuntimePart());
        yield return new TimerElapsed("drain");
        yield return new TimerElapsed("restore:0");
        yield return new TakeHold("h1", "e2", "test");
        yield return new ReleaseHold("h1");
        yield return new SetInFlight(1, 0);
        yield return new SetInFlight(0, 1);
        yield return new SetInFlight(0, 0);
        yield return new AwaitDrain();
        yield return new IndicateStatus("s");
        yield return new ReportDevice("s", false, Device(true, false));
        yield return new ReportDevice("s", true, Device(false, false), 1);
        yield return new StartVm();
    }

    static OidParameters? Fitting(OidCode oid) => oid switch
    {
        _ when oid == OidCode.PortCreate => Payloads[1],
        _ when oid == OidCode.NicCreate => Payloads[2],
        _ => Payloads[4],
    };

    static DeviceState Device(bool present, bool up) => new(NicId.Text, "sw", "p7", "tap", present, up, present, 1, 1);

    static string[] Ids(IEnumerable<Effect> effects) => [.. effects.Select(effect => effect.Id)];
}
