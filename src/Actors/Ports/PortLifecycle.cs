using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Nics;
using ControlPlane.Actors.Ports.Properties;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports;

/// <summary>
/// A port's life. Who speaks to a port: the switch, which lets OIDs in one at a time; its NICs and the host's bridge,
/// which answer what the port asked; people and extensions, who take and release holds; the clock, when a drain is
/// stuck.
/// <code>
///                 PORT_CREATE            completed: SUCCESS
///   NotCreated ──────────────► Creating ───────────────────► Created ◄──┐ NIC_CREATE, NIC_DELETE (settled by the NIC),
///       ▲  ▲                      │                             │ └─────┘ PORT_UPDATED, properties, holds
///       │  └── refused, undone ───┘                PORT_TEARDOWN│ T3, T9: no NIC on the port
///       │                                                       ▼
///       │     completed            PORT_DELETE             TearingDown ──completed──► TornDown
///       └───────────── Deleting ◄─────────────────────────────────────────────────────┘ T10: holds and OIDs gone
///
///   any of them ── its host came up anew without it, or was removed ──► NotCreated (see PortLosses)
/// </code>
/// Edges T1, T3, T9, T10 of switch.md 3.1; there is no other. Every OID in every state is a line of <see cref="Judge"/>.
/// </summary>
public sealed class PortLifecycle : ILifecycle<PortState, PortEvent>
{
    public static PortState Initial(EntityId id) => new PortState.Absent(id, 0);

    public static Decision<PortEvent> Decide(PortState state, Command command, in Turn turn) => command switch
    {
        ArriveOid arrival => Judge(state, arrival, turn),
        AnswerArrived answer => Settle(state, answer),
        TakeHold take => Hold(state, take, turn),
        ReleaseHold release => Release(state, release),
        SetInFlight set => InFlight(state, set),
        AwaitDrain => WaitForGate(state, turn),
        LoseObject lose => PortLosses.Decide(state, lose),
        TimerElapsed => Stuck(state),
        _ => Decision<PortEvent>.NotMine(command),
    };

    /// <summary>The table of the port: state by state, OID by OID, what is legal and why the rest is not.</summary>
    static Decision<PortEvent> Judge(PortState state, ArriveOid a, in Turn turn)
    {
        var oid = a.Request.Oid;
        return state switch
        {
            PortState.Absent when oid == OidCode.PortCreate => Create(state, a, turn),
            PortState.Absent => Illegal(state, a, "port.absent", "There is no such port.", "X25"),

            _ when oid == OidCode.PortCreate => Illegal(state, a, "port.create.exists", "The port exists.", "X13"),
            PortState.Creating or PortState.Deleting or PortState.Created { Oid: not null } =>
                Illegal(state, a, "port.busy", "An OID about this port is not completed yet.", "switch.md 9.3.5"),

            PortState.Created s when oid == OidCode.PortTeardown => Teardown(s, a, turn),
            PortState.Created s when oid == OidCode.PortUpdated => Update(s, a),
            PortState.Created s when oid == OidCode.NicCreate => Attach(s, a, turn),
            PortState.Created s when oid == OidCode.NicDelete => Detach(s, a, turn),
            PortState.Created s when PortProperties.IsChange(oid) => PortProperties.Change(s, a, Open(a, turn)),
            PortState.Created { Body.Parameters.IsValidationPort: true } s when oid == OidCode.PortDelete =>
                Delete(s, s.Body.Drain, new PortDeleteReceived(Open(a, turn), WithoutTeardown: true)),
            PortState.Created when oid == OidCode.PortDelete =>
                Illegal(state, a, "port.delete.not-torn-down", "PORT_TEARDOWN comes first.", "X09"),
            PortState.Created => Forwarded(state, a),

            PortState.TearingDown or PortState.TornDown when PortProperties.IsChange(oid) => Forwarded(state, a), // L18: sent before the teardown
            PortState.TornDown s when oid == OidCode.PortDelete => Delete(s, s.Body.Drain, new PortDeleteReceived(Open(a, turn))),
            PortState.TearingDown when oid == OidCode.PortDelete =>
                Illegal(state, a, "port.delete.tearing-down", "PORT_TEARDOWN is not completed yet.", "G5"),
            _ when oid == OidCode.PortPropertyEnum && state.BodyOrNull is { Drain.Holds.IsEmpty: false } => Forwarded(state, a), // R07
            _ when oid == OidCode.PortPropertyEnum =>
                Illegal(state, a, "port.enum.tearing-down", "Only a reference taken before the teardown allows it.", "R07"),
            _ when oid == OidCode.PortTeardown => Illegal(state, a, "port.teardown.tearing-down", "The port is being torn down.", "switch.md 3.1"),
            _ when oid == OidCode.PortUpdated => Illegal(state, a, "port.update.tearing-down", "The port is being torn down.", "X24"),
            _ when oid == OidCode.NicCreate => Illegal(state, a, "nic.create.port-tearing-down", "The port is being torn down.", "X11"),
            _ when oid == OidCode.NicDelete => Illegal(state, a, "nic.absent", "There is no NIC on a port that is torn down.", "G4"),
            _ => Forwarded(state, a), // pending OIDs are passed on unmodified (switch.md 3.2, last line)
        };
    }

    static Decision<PortEvent> Create(PortState state, ArriveOid a, in Turn turn)
    {
        if (a.Request.Parameters is not PortParameters parameters)
        {
            return Missing("port parameters");
        }
        var proposed = new PortCreateProposed(Open(a, turn), state.Incarnations + 1, parameters);
        return a.Refused is { } by
            ? Decision<PortEvent>.Accept(new OidSettled(by.Status, by, "NotCreated", "Absent"), proposed, new PortCreateRefused(a.Request.RequestId, by))
            : Decision<PortEvent>.Accept(null, proposed);
    }

    static Decision<PortEvent> Teardown(PortState.Created s, ArriveOid a, in Turn turn) =>
        s.Body.Nics.Count > 0
            ? Illegal(s, a, "port.teardown.nic-present", "A NIC is on the port; NIC_DELETE comes first.", "G4")
        : s.Body.Drain.Packets > 0
            ? Draining(s, "port.teardown.draining", "PORT_TEARDOWN", s.Body.Drain)
        : Decision<PortEvent>.Accept(null, new PortTeardownReceived(Open(a, turn)));

    static Decision<PortEvent> Delete(PortState state, Drain drain, PortDeleteReceived received) =>
        drain.Open ? Decision<PortEvent>.Accept(null, received) : Draining(state, "port.delete.draining", "PORT_DELETE", drain);

    static Decision<PortEvent> Update(PortState.Created s, ArriveOid a) =>
        a.Request.Parameters is PortParameters parameters
            ? Decision<PortEvent>.Accept(Settled(s), new PortUpdated(a.Request.RequestId, parameters.PortFriendlyName))
            : Missing("port parameters");

    static Decision<PortEvent> Attach(PortState.Created s, ArriveOid a, in Turn turn)
    {
        var index = a.Request.NicIndex;
        var external = s.Body.Parameters.PortType == PortType.External;
        return (a.Request.Parameters, a.Nic) switch
        {
            (not NicParameters, _) or (_, null) => Missing("NIC parameters"),
            _ when s.Body.Parameters.IsValidationPort =>
                Illegal(s, a, "nic.create.validation-port", "No NIC is ever connected to a validation port.", "X16"),
            _ when !external && index != 0 =>
                Illegal(s, a, "nic.create.index", "Only an external port has NICs with another index than 0.", "X17"),
            _ when index is < 0 or > 32 =>
                Illegal(s, a, "nic.create.index", "An external port has the indices 0 to 32.", "X18"),
            _ when s.Body.Nics.ContainsKey(index) =>
                Illegal(s, a, "nic.create.exists", "There is a NIC with this index on the port.", "switch.md 3.1 T2"),
            (NicParameters nic, _) when !Fits(s.Body.Parameters.PortType, nic.NicType) =>
                Illegal(s, a, "nic.create.type", $"A NIC of type {nic.NicType} does not fit a port of type {s.Body.Parameters.PortType}.", "X21"),
            (NicParameters nic, { } id) => Decision<PortEvent>.Accept(null, new NicAttachProposed(Open(a, turn), id, nic.NicType)),
        };
    }

    static Decision<PortEvent> Detach(PortState.Created s, ArriveOid a, in Turn turn) =>
        s.Body.Nics.ContainsKey(a.Request.NicIndex)
            ? Decision<PortEvent>.Accept(null, new NicDetachProposed(Open(a, turn)))
            : Illegal(s, a, "nic.absent", "There is no NIC with this index on the port.", "switch.md 3.1");

    /// <summary>What the port asked has been answered: by the data path or by the NIC.</summary>
    static Decision<PortEvent> Settle(PortState state, AnswerArrived answer)
    {
        if (HostLoss.In(answer.Refusal) is { } lost)
        {
            return PortLosses.End(state, lost, answer.Refusal!);
        }
        var completion = (answer.Reply as CommandDone)?.Completion;
        var status = completion?.Status ?? (answer.Refusal is null ? NdisStatus.Success : NdisStatus.Failure);
        switch (state)
        {
            case PortState.Creating s when status == NdisStatus.Success:
                return Late([new PortCreated(s.Oid.Request.RequestId) { Session = (answer.Reply as CommandDone)?.Session ?? 0 }], s.Oid, new OidSettled(status, null, "Created", "Absent"));
            case PortState.Creating s:
                var by = RefusedBy.Edge(status, completion?.Detail);
                return Late([new PortCreateRefused(s.Oid.Request.RequestId, by)], s.Oid, new OidSettled(status, by, "NotCreated", "Absent"));
            case PortState.TearingDown s:
                return Late([.. Faulted(s.Oid, DriverVerb.TeardownPort, status, completion), new PortTornDown(s.Oid.Request.RequestId)],
                    s.Oid, new OidSettled(NdisStatus.Success, null, "TearingDown", "Absent"));
            case PortState.Deleting s:
                return Late([.. Faulted(s.Oid, DriverVerb.DeletePort, status, completion), new PortDeleted(s.Oid.Request.RequestId)],
                    s.Oid, new OidSettled(NdisStatus.Success, null, "NotCreated", "Absent"));
            case PortState.Created { Oid: { } oid, Proposal: { } proposal } s:
                return PortProperties.Settle(s, oid, proposal, answer);
            case PortState.Created { Oid: { } oid }:
                return SettleNic(oid, answer);
            default:
                return Decision<PortEvent>.Ignore;
        }
    }

    static Decision<PortEvent> SettleNic(OpenOid oid, AnswerArrived answer)
    {
        var (id, index) = (oid.Request.RequestId, oid.Request.NicIndex);
        var done = answer.Reply is OidSettled { Status: NdisStatus.Success };
        // A NIC that its host lost, or that has moved, is not on the port whatever the port knew: nothing would take it off again.
        var gone = answer.Refusal is { Code: NicLifecycle.NotThere or NicLifecycle.Elsewhere };
        PortEvent happened = (oid.Request.Oid == OidCode.NicCreate, done) switch
        {
            (true, true) => new NicAttached(id, index),
            (true, false) => new NicAttachEnded(id, index),
            (false, false) when !gone => new NicDetachEnded(id, index),
            (false, _) => new NicDetached(id, index),
        };
        var reply = answer.Reply is OidSettled settled ? settled with { PortState = "Created" } : answer.Reply;
        return Decision<PortEvent>.Accept([happened], null, [new LateAnswer(oid.MessageId, reply, answer.Refusal)]);
    }

    static Decision<PortEvent> Hold(PortState state, TakeHold take, in Turn turn) => state switch
    {
        PortState.Created s when s.Body.Drain.Holds.ContainsKey(take.HoldId) =>
            Decision<PortEvent>.Refuse(new Refusal(RefusalKind.Conflict, "hold.exists", "There is a hold with this id.")),
        PortState.Created s when s.Body.Drain.Holds.Count >= Drain.HoldsMax =>
            Decision<PortEvent>.Refuse(new Refusal(RefusalKind.Conflict, "hold.limit", $"A port carries at most {Drain.HoldsMax} holds.")),
        PortState.Created => Decision<PortEvent>.Accept(
            new HoldTaken(take.HoldId), new PortHeld(new Hold(take.HoldId, take.Holder, take.Purpose, turn.Now))),
        _ => Decision<PortEvent>.Refuse(Refusal.Illegal(
            "port.hold.not-created", "A port is referenced from its creation to its teardown only.", "R1", state.Name)),
    };

    static Decision<PortEvent> Release(PortState state, ReleaseHold release) =>
        state.BodyOrNull is { } body && body.Drain.Holds.ContainsKey(release.HoldId)
            ? Drained(state, body.Drain.Released(release.HoldId), new PortReleased(release.HoldId))
            : Decision<PortEvent>.Refuse(new Refusal(RefusalKind.NotFound, "hold.unknown", "There is no such hold; each is released once.", "R4"));

    static Decision<PortEvent> InFlight(PortState state, SetInFlight set) =>
        state.BodyOrNull is { } body
            ? Drained(state, body.Drain.InFlight(set.Packets, set.Oids), new PortInFlightSet(set.Packets, set.Oids))
            : Decision<PortEvent>.Refuse(new Refusal(RefusalKind.NotFound, "port.absent", "There is no such port.", "X25"));

    /// <summary>After a release or a drain notice the gate is looked at again (switch.md 9.4).</summary>
    static Decision<PortEvent> Drained(PortState state, Drain after, PortEvent happened) =>
        after.Waiters.Length > 0 && GateOpens(state, after)
            ? Decision<PortEvent>.Accept([happened, new PortDrained()], new Done(), after.AnswerWaiters())
            : Decision<PortEvent>.Accept(new Done(), happened);

    static Decision<PortEvent> WaitForGate(PortState state, in Turn turn) =>
        state.BodyOrNull is not { } body || GateOpens(state, body.Drain)
            ? Decision<PortEvent>.Accept(new GateOpen())
            : Decision<PortEvent>.Accept(null, new PortDrainDeferred(turn.MessageId, turn.Now, body.Drain.Report));

    /// <summary>PORT_TEARDOWN waits for packets alone, PORT_DELETE for holds and OIDs too (switch.md 3.6).</summary>
    static bool GateOpens(PortState state, Drain drain) => state is PortState.Created ? drain.Packets == 0 : drain.Open;

    static Decision<PortEvent> Stuck(PortState state) =>
        state.BodyOrNull is { Drain: { Since: not null, Stuck: false } drain }
            ? Decision<PortEvent>.Accept(null, new PortDrainStuck(drain.Report))
            : Decision<PortEvent>.Ignore;

    public static PortState Evolve(PortState state, PortEvent happened) => (state, happened) switch
    {
        (PortState.Absent s, PortCreateProposed e) => new PortState.Creating(s.Id, e.Incarnation, NewBody(e), e.Oid),
        (PortState.Creating s, PortCreated e) => new PortState.Created(s.Id, s.Incarnations, s.Body with { SeenIn = e.Session }, null),
        (PortState.Creating s, PortCreateRefused) => new PortState.Absent(s.Id, s.Incarnations),
        (PortState.Created s, PortUpdated e) =>
            s with { Body = s.Body with { Parameters = s.Body.Parameters with { PortFriendlyName = e.PortFriendlyName } } },
        (PortState.Created s, PortPropertyProposed e) => s with { Oid = e.Oid, Proposal = new PortProposal(e.Property, e.EnforcedBy, e.Policy) },
        (PortState.Created s, PortPropertyChanged e) => s with { Oid = null, Proposal = null, Body = PortProperties.Changed(s.Body, e) },
        (PortState.Created s, PortPropertyRefused) => s with { Oid = null, Proposal = null },
        (PortState.Created s, NicAttachProposed e) =>
            s with { Oid = e.Oid, Body = s.Body with { Nics = s.Body.Nics.Add(e.Oid.Request.NicIndex, e.Nic) } },
        (PortState.Created s, NicAttached) => s with { Oid = null },
        (PortState.Created s, NicAttachEnded e) => s with { Oid = null, Body = s.Body with { Nics = s.Body.Nics.Remove(e.NicIndex) } },
        (PortState.Created s, NicDetachProposed e) => s with { Oid = e.Oid },
        (PortState.Created s, NicDetached e) => s with { Oid = null, Body = s.Body with { Nics = s.Body.Nics.Remove(e.NicIndex) } },
        (PortState.Created s, NicDetachEnded) => s with { Oid = null },
        (PortState.Created s, PortTeardownReceived e) => new PortState.TearingDown(s.Id, s.Incarnations, s.Body, e.Oid),
        (PortState.TearingDown s, PortTornDown) => new PortState.TornDown(s.Id, s.Incarnations, s.Body),
        (PortState.TornDown s, PortDeleteReceived e) => new PortState.Deleting(s.Id, s.Incarnations, s.Body, e.Oid),
        (PortState.Created s, PortDeleteReceived { WithoutTeardown: true } e) => new PortState.Deleting(s.Id, s.Incarnations, s.Body, e.Oid),
        (PortState.Deleting s, PortDeleted) => new PortState.Absent(s.Id, s.Incarnations),
        (not PortState.Absent, PortLost) => new PortState.Absent(state.Id, state.Incarnations),
        (_, PortEdgeFaulted) => state,
        (_, PortHeld e) => WithDrain(state, drain => drain.Held(e.Hold)),
        (_, PortReleased e) => WithDrain(state, drain => drain.Released(e.HoldId)),
        (_, PortInFlightSet e) => WithDrain(state, drain => drain.InFlight(e.Packets, e.Oids)),
        (_, PortDrainDeferred e) => WithDrain(state, drain => drain.Deferred(e.MessageId, e.Since)),
        (_, PortDrained) => WithDrain(state, drain => drain.Drained()),
        (_, PortDrainStuck) => WithDrain(state, drain => drain with { Stuck = true }),
        _ => throw new UnreachableException($"{happened} cannot follow {state}"),
    };

    public static IEnumerable<Effect> Outstanding(PortState state)
    {
        switch (state)
        {
            case PortState.Creating s:
                yield return Edge(s, DriverVerb.CreatePort);
                break;
            case PortState.Created { Oid: { } oid, Proposal: { } proposal } s:
                yield return PortProperties.Tell(s, oid, proposal);
                break;
            case PortState.Created { Oid: { } oid } s:
                yield return new Effect.Ask(
                    $"{oid.Request.RequestId}:nic", s.Body.Nics[oid.Request.NicIndex], new ArriveOid(
                        oid.Request with { PortId = s.Body.PortId }, oid.Switch, s.Id, oid.Nic, oid.Refused, oid.Mtu,
                        Policy: PortPolicies.Of(s.Body.Properties.Values), Restoring: s.Body.Parameters.Restoring));
                break;
            case PortState.TearingDown s:
                yield return Edge(s, DriverVerb.TeardownPort);
                break;
            case PortState.Deleting s:
                yield return Edge(s, DriverVerb.DeletePort);
                break;
        }
        foreach (var effect in state.BodyOrNull?.Drain.Outstanding() ?? [])
        {
            yield return effect;
        }
    }

    /// <summary>
    /// The command to the host. It is named after the incarnation, in which each verb comes once: a peer's request ids are
    /// its own and may come again, and a name that came before would be answered from the record.
    /// </summary>
    static Effect.Ask Edge(PortState state, DriverVerb verb)
    {
        var effect = string.Create(CultureInfo.InvariantCulture, $"{state.Incarnations}:{verb}");
        var parts = state.Id.Parts; // host, switch, port
        return new Effect.Ask(effect, EntityId.Bridge(parts[0]), new IssueCommand(new DriverCommand($"{state.Id}>{effect}", verb, parts[1], parts[2])));
    }

    static PortBody NewBody(PortCreateProposed e) => new(
        e.Oid.Switch, e.Oid.Request.PortId, e.Parameters, ImmutableSortedDictionary<int, EntityId>.Empty,
        ImmutableSortedDictionary.Create<string, PortProperty>(StringComparer.Ordinal), Drain.Empty);

    static PortState WithDrain(PortState state, Func<Drain, Drain> change)
    {
        PortBody Changed(PortBody body) => body with { Drain = change(body.Drain) };
        return state switch
        {
            PortState.Creating s => s with { Body = Changed(s.Body) },
            PortState.Created s => s with { Body = Changed(s.Body) },
            PortState.TearingDown s => s with { Body = Changed(s.Body) },
            PortState.TornDown s => s with { Body = Changed(s.Body) },
            PortState.Deleting s => s with { Body = Changed(s.Body) },
            _ => throw new UnreachableException($"no gate in {state}"),
        };
    }

    /// <summary>A Generic port learns its type later; the others take their own kind (switch.md 3.9).</summary>
    static bool Fits(PortType port, NicType nic) => (port, nic) is
        (PortType.Generic, _) or (PortType.External, NicType.External) or (PortType.Synthetic, NicType.Synthetic)
        or (PortType.Emulated, NicType.Emulated) or (PortType.Internal, NicType.Internal);

    static OpenOid Open(ArriveOid a, in Turn turn) => new(turn.MessageId, a.Request, a.Switch, a.Port, a.Nic, a.Refused, a.Mtu);

    internal static OidSettled Settled(PortState state) => new(NdisStatus.Success, null, state.Name, "Absent");

    /// <summary>Nothing changes here; an extension's refusal of what it may refuse is told as it is.</summary>
    static Decision<PortEvent> Forwarded(PortState state, ArriveOid a) => Decision<PortEvent>.Accept(
        a.Refused is { } by ? new OidSettled(by.Status, by, state.Name, "Absent")
        : a.Request.Oid == OidCode.PortPropertyEnum && state.BodyOrNull is { } body
            ? PortProperties.Enumerated(state, body, a.Request.Parameters)
        : Settled(state));

    internal static Decision<PortEvent> Late(ImmutableArray<PortEvent> events, OpenOid oid, OidSettled settled) =>
        Decision<PortEvent>.Accept(events, null, [new LateAnswer(oid.MessageId, settled, null)]);

    static IEnumerable<PortEvent> Faulted(OpenOid oid, DriverVerb verb, NdisStatus status, Completion? completion) =>
        status == NdisStatus.Success ? [] : [new PortEdgeFaulted(oid.Request.RequestId, verb, status, completion?.Detail)];

    internal static Decision<PortEvent> Missing(string what) =>
        Decision<PortEvent>.Refuse(new Refusal(RefusalKind.Unprocessable, "oid.parameters", $"The OID needs {what}.", "O13", Field: "parameters"));

    static Decision<PortEvent> Draining(PortState state, string code, string oid, Drain drain) =>
        Decision<PortEvent>.Refuse(new Refusal(
            RefusalKind.Conflict, code, $"{oid} has to wait for {drain.InWords}.", oid == "PORT_DELETE" ? "G5" : "G4", state.Name, Holds: drain.Report));

    static Decision<PortEvent> Illegal(PortState state, ArriveOid a, string code, string detail, string rule) =>
        Decision<PortEvent>.Refuse(Refusal.Illegal(code, $"{a.Request.Oid}: {detail}", rule, state.Name));
}
