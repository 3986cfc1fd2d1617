using System.Collections.Immutable;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// The ladder of a switch's own external adapter: an external switch with an uplink brings it up when it is activated and
/// takes it down before it is deleted (switch.md 3.4, "external and internal adapters follow the same ladder at switch
/// start/stop"). The OIDs are its own, wait for the slot like all others and pass the extensions.
/// <code>
///   up   (G7): PORT_CREATE, CREATE 0, CREATE 1..n, CONNECT 0, CONNECT 1..n
///   down (G8): DISCONNECT 1..n, DELETE 1..n, DISCONNECT 0, DELETE 0, TEARDOWN, DELETE; where a gate is closed, after it opens
/// </code>
/// The next step follows from what is there, not from a list: after a restart half-way, a host that came up anew or a
/// member more in the definition it goes on from where things are. A start that is refused is undone and told by an alarm;
/// it is tried again when the switch is defined or activated anew.
/// </summary>
static class ExternalAdapters
{
    /// <summary>Physical adapters below the external one (switch.md 1.4, X18).</summary>
    public const int MembersMax = 32;

    /// <summary>Rejections in a row after which the way down is given up; a peer's OID in between costs one.</summary>
    public const int RejectionsMax = 8;

    /// <summary>The name of the port.</summary>
    public const string PortName = "external-adapter";

    public static Refusal? Refusal(SwitchDefinition definition)
    {
        var members = definition.Adapters;
        return members.Count > MembersMax || members.Contains("") || members.Distinct(StringComparer.Ordinal).Count() < members.Count
            ? new Refusal(RefusalKind.Unprocessable, "switch.uplink.members",
                $"uplink names 1 to {MembersMax} different devices of the host, with commas between them.", "X18", Field: "uplink")
            : null;
    }

    /// <summary>The port is the switch's own external one.</summary>
    public static bool IsOwn(SwitchState.Here s, SwitchPort port) =>
        s.Adapter is not null && port.Type == PortType.External && port.Name == PortName;

    /// <summary>The OID is one that it has issued; nobody waits for its answer.</summary>
    public static bool IsOwn(SwitchState.Here s, string messageId) => s.Adapter?.Waiting == messageId;

    /// <summary>
    /// The switch was defined or activated: whether there is something to do, and a start that was refused is tried again.
    /// </summary>
    public static SwitchState.Here Looked(SwitchState.Here s)
    {
        var adapter = s.Adapter ?? (s.Definition.Adapters.Count > 0 ? new ExternalAdapter(AdapterStage.Down) : null);
        return adapter is null ? s : Due(s with { Adapter = adapter with { Problem = null, Rejections = 0 } });
    }

    /// <summary>Something of it was lost with its host.</summary>
    public static SwitchState.Here Lost(SwitchState.Here s) => s.Adapter is { Problem: null } ? Due(s) : s;

    static SwitchState.Here Due(SwitchState.Here s)
    {
        var rest = Wanted(s).Length > 0 ? AdapterStage.Up : AdapterStage.Down;
        var due = s.Adapter!.Waiting is not null || s.Adapter.Stage != rest || Next(s) is not null;
        return s with { Adapter = s.Adapter with { Due = due } };
    }

    /// <summary>What is to be up; nothing while it is being taken down for good.</summary>
    static ImmutableArray<string> Wanted(SwitchState.Here s) =>
        s.Adapter is { Problem: null, DeleteMessageId: null } ? [.. s.Definition.Adapters] : [];

    /// <summary>Own ports do not keep a switch from being deleted: they go first. Null: nothing is there.</summary>
    public static SwitchEvent? StopFor(SwitchState.Here s, string messageId) =>
        s.Adapter is { } adapter && (adapter.Waiting is not null || s.Ports.Values.Any(port => IsOwn(s, port)))
            ? new ExternalAdapterStopping(messageId) : null;

    /// <summary>The next of its steps, as long as it has something to do and waits for nothing.</summary>
    public static LaneStep? Step(SwitchState.Here s)
    {
        if (s.Adapter is not { Due: true, Waiting: null, Draining: null } adapter || s.Gone || !s.Losses.IsEmpty)
        {
            return null;
        }
        var wanted = Wanted(s);
        var up = wanted.Length > 0;
        if (s.Stage != SwitchStage.Ready && (up || s.Stage != SwitchStage.Failed))
        {
            return null; // the host is asked for the switch, and is not there yet
        }
        if (adapter.Stuck)
        {
            var problem = adapter.Problem ?? new Refusal(
                RefusalKind.Conflict, "switch.adapter.stuck", "The external adapter could not be taken down.");
            return new LaneStep(
                [new ExternalAdapterStuck(problem)], adapter.DeleteMessageId is { } asked ? new LateAnswer(asked, null, problem) : null);
        }
        if (Next(s) is not { } next)
        {
            return new LaneStep(up ? [new ExternalAdapterStarted()]
                : adapter.DeleteMessageId is { } delete ? [new ExternalAdapterStopped(), new SwitchDeleteStarted(delete)]
                : [new ExternalAdapterStopped(adapter.Problem)], null);
        }
        return adapter.Stage != (up ? AdapterStage.Starting : AdapterStage.Stopping)
            ? new LaneStep([up ? new ExternalAdapterStarting(wanted) : new ExternalAdapterStopping()], null)
            : new LaneStep([new OidQueued(next.RequestId, next, FromPeer: false)], null);
    }

    static OidRequest? Next(SwitchState.Here s)
    {
        var port = s.Ports.Values.FirstOrDefault(port => IsOwn(s, port));
        var wanted = Wanted(s);
        return (wanted.Length > 0 ? Up(port, wanted, s.Id.Parts[1]) : Down(port)) is not var (oid, index, parameters) ? null
            : new OidRequest(IdOf(s), oid, port?.PortId ?? 0, index, parameters);
    }

    static string IdOf(SwitchState.Here s) =>
        string.Create(CultureInfo.InvariantCulture, $"{s.Id}>adapter:{s.Preparations}:{s.Adapter!.Number}");

    /// <summary>
    /// G7. A member that is not wanted any more, or is another device now, goes first; one that a peer has disconnected is
    /// made anew.
    /// </summary>
    static (OidCode, int, OidParameters?)? Up(SwitchPort? port, ImmutableArray<string> members, string name)
    {
        if (port is null)
        {
            return (OidCode.PortCreate, 0, new PortParameters(PortName, PortName, PortType.External));
        }
        if (port.TearingDown || (port.Nics.TryGetValue(0, out var first) && first.State == "Disconnected"))
        {
            return Down(port);
        }
        var surplus = port.Nics.Where(
            nic => nic.Key > 0 && (nic.Value.NicName != members.ElementAtOrDefault(nic.Key - 1) || nic.Value.State == "Disconnected"));
        if (Away(surplus) is { } away)
        {
            return away;
        }
        var missing = Enumerable.Range(0, members.Length + 1).Where(index => !port.Nics.ContainsKey(index)).ToList();
        return missing is [var index, ..]
            ? (OidCode.NicCreate, index, new NicParameters(index == 0 ? name : members[index - 1], NicType.External))
            : port.Nics.Where(nic => nic.Value.State == "Created").Select(
                nic => ((OidCode, int, OidParameters?)?)(OidCode.NicConnect, nic.Key, null)).FirstOrDefault();
    }

    /// <summary>G8.</summary>
    static (OidCode, int, OidParameters?)? Down(SwitchPort? port) =>
        port is null ? null
        : Away(port.Nics.Where(nic => nic.Key > 0)) ?? Away(port.Nics.Where(nic => nic.Key == 0))
            ?? (port.TearingDown ? OidCode.PortDelete : OidCode.PortTeardown, 0, null);

    /// <summary>Every gate closes first, then each goes.</summary>
    static (OidCode, int, OidParameters?)? Away(IEnumerable<KeyValuePair<int, SwitchNic>> nics) =>
        nics.OrderBy(nic => nic.Value.State != "Connected").Select(nic =>
            ((OidCode, int, OidParameters?)?)(
                nic.Value.State == "Connected" ? OidCode.NicDisconnect : OidCode.NicDelete, nic.Key, null)).FirstOrDefault();

    public static SwitchState.Here Queued(SwitchState.Here s, OidQueued e) =>
        s.Adapter is { Due: true, Waiting: null } adapter && !e.FromPeer && e.MessageId == IdOf(s)
            ? s with { Adapter = adapter with { Waiting = e.MessageId, Number = adapter.Number + 1 } }
            : s;

    public static SwitchState.Here Completed(SwitchState.Here s, OidCompleted e)
    {
        if (!IsOwn(s, e.MessageId))
        {
            return s;
        }
        var (adapter, outcome) = (s.Adapter! with { Waiting = null }, e.Outcome);
        return outcome.Status == NdisStatus.Success ? s with { Adapter = adapter with { Rejections = 0 } } : s with
        {
            Adapter = Refused(adapter, new Refusal(RefusalKind.Conflict, "switch.adapter.refused",
                $"{outcome.RefusedBy?.Extension ?? "The host"} answered {e.Oid} of the external adapter with {outcome.Status.Name()}.",
                    outcome.RefusedBy?.Rule)),
        };
    }

    /// <summary>The OID was rejected, or has ended with its host; the latter is found in what is there when it is done.</summary>
    public static SwitchState.Here Rejected(SwitchState.Here s, string messageId, Refusal refusal)
    {
        if (!IsOwn(s, messageId))
        {
            return s;
        }
        var adapter = s.Adapter! with { Waiting = null };
        return s with
        {
            Adapter = HostLoss.In(refusal) is not null ? adapter
                : refusal.Holds is not null && s.Slot is { } slot ? adapter with
                {
                    Draining = new AdapterDrain(slot.Request.Oid == OidCode.NicDelete ? slot.Nic!.Value : slot.Port, $"drain:{messageId}"),
                }
                : Refused(adapter, refusal),
        };
    }

    /// <summary>On the way up it is undone; on the way down it is tried again, for somebody else may have been quicker.</summary>
    static ExternalAdapter Refused(ExternalAdapter adapter, Refusal problem) =>
        adapter.Stage == AdapterStage.Stopping
            ? adapter with
            {
                Rejections = adapter.Rejections + 1,
                Problem = adapter.Rejections + 1 >= RejectionsMax ? problem : adapter.Problem,
            }
            : adapter with { Problem = problem };

    public static SwitchState.Here Evolve(SwitchState.Here s, SwitchEvent happened)
    {
        var adapter = s.Adapter ?? new ExternalAdapter(AdapterStage.Down);
        return s with
        {
            Adapter = happened switch
            {
                ExternalAdapterStarting => adapter with { Stage = AdapterStage.Starting },
                ExternalAdapterStarted => adapter with { Stage = AdapterStage.Up, Due = false },
                ExternalAdapterStopping e => adapter with
                {
                    Stage = AdapterStage.Stopping,
                    Due = true,
                    DeleteMessageId = e.DeleteMessageId ?? adapter.DeleteMessageId,
                    Rejections = 0,
                },
                ExternalAdapterStopped e =>
                    adapter with { Stage = AdapterStage.Down, Due = false, Problem = e.Problem, DeleteMessageId = null },
                ExternalAdapterDrained => adapter with { Draining = null },
                ExternalAdapterStuck e => adapter with { Due = false, Problem = e.Problem, DeleteMessageId = null },
                _ => throw new System.Diagnostics.UnreachableException(happened.ToString()),
            },
        };
    }

    /// <summary>The gate has opened, or what it was of has ended: the step is tried again.</summary>
    public static Decision<SwitchEvent>? Drained(SwitchState.Here s, AnswerArrived answer, DateTimeOffset now) =>
        s.Adapter?.Draining is { } drain && drain.EffectId == answer.EffectId
            ? OidLane.Advance(s, [new ExternalAdapterDrained(drain.Object)], [], now)
            : null;

    public static IEnumerable<Effect> Outstanding(SwitchState.Here s) =>
        s.Adapter?.Draining is { } drain ? [new Effect.Ask(drain.EffectId, drain.Object, new AwaitDrain())] : [];
}
