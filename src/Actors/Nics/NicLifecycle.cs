using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Nics;

/// <summary>
/// The life of one NIC connection. Who speaks to a NIC: its port (NIC_CREATE, NIC_DELETE) and its switch (NIC_CONNECT,
/// NIC_UPDATED, NIC_DISCONNECT), one OID at a time; the host's bridge, which answers commands and reports devices;
/// people and extensions, who take and release holds; the clock, when a drain is stuck.
/// <code>
///           NIC_CREATE            SUCCESS           NIC_CONNECT             completed
///   Absent ───────────► Creating ─────────► Created ───────────► Connecting ─────────► Connected ◄─┐ NIC_UPDATED,
///     ▲ ▲                  │                   │                                           │  └─────┘ holds
///     │ └──── refused ─────┘                   │ T5: NIC_DELETE, never connected           │ NIC_DISCONNECT, at once
///     │                                        ▼                                           ▼
///     │   completed                         Deleting ◄── NIC_DELETE, gate open ── Disconnected ◄── Disconnecting
///     └────────────────────────────────────────┘
///
///   any of them ── its host came up anew without it, or was removed ──► Absent (see NicLosses)
/// </code>
/// Edges T2, T4 to T8 of switch.md 3.1; there is no way back from Disconnected to Connected. Every OID in every state
/// is a line of <see cref="Judge"/>.
/// </summary>
public sealed class NicLifecycle : ILifecycle<NicState, NicEvent>
{
    /// <summary>The refusal of a NIC_DELETE before its NIC_DISCONNECT (switch.md 7.2 X05).</summary>
    public const string DeleteConnected = "nic.delete.connected";

    public const string Elsewhere = "nic.elsewhere";

    public const string NotThere = "nic.absent";

    const string MovedAway = "The NIC is on another port by now.";

    public static NicState Initial(EntityId id) => new NicState.Absent(id, 0);

    public static Decision<NicEvent> Decide(NicState state, Command command, in Turn turn) => command switch
    {
        ArriveOid arrival => Judge(state, arrival, turn),
        AnswerArrived answer => Settle(state, answer, turn),
        EnforcePolicy enforce => NicWorks.Enforce(state, enforce, turn),
        ISaidOnPort { Port: { } port } when !IsAt(state, port) =>
            Decision<NicEvent>.Refuse(Refusal.Illegal(Elsewhere, $"{command.GetType().Name}: {MovedAway}", "O04", state.Name)),
        ReadRuntime => NicWorks.Read(state, turn),
        AnnounceAddress => NicWorks.Announce(state, turn),
        ReadAttachment => Decision<NicEvent>.Accept(new AttachmentRead(
            state.Name, state.BodyOrNull?.Place.Host, state.BodyOrNull?.Parameters.VfAssigned == true)),
        RestoreRuntime restore => NicWorks.Restore(state, restore, turn),
        TakeHold take => Hold(state, take, turn),
        ReleaseHold release => Release(state, release),
        SetInFlight set => InFlight(state, set),
        AwaitDrain => WaitForGate(state, turn),
        TimerElapsed(var effect) when effect.StartsWith(NicTransfers.WakePrefix, StringComparison.Ordinal) => NicTransfers.Elapsed(state, effect),
        TimerElapsed => Stuck(state),
        IndicateStatus status => Indicate(state, status),
        ReportDevice report => NicDevice.Report(state, report),
        LoseObject lose => NicLosses.Decide(state, lose),
        _ => Decision<NicEvent>.NotMine(command),
    };

    /// <summary>The table of the NIC: state by state, OID by OID, what is legal and why the rest is not.</summary>
    static Decision<NicEvent> Judge(NicState state, ArriveOid a, in Turn turn)
    {
        var oid = a.Request.Oid;
        var restoreBy = state.BodyOrNull is { } body ? NicTransfers.RestoreBy(body, turn.Now) : null;
        return state switch
        {
            NicState.Absent when oid == OidCode.NicCreate => Create(state, a, turn),
            NicState.Absent => Illegal(state, a, NotThere, "There is no such NIC.", oid == OidCode.NicConnect ? "X02" : "O04"),

            _ when oid == OidCode.NicCreate => Illegal(state, a, "nic.create.exists", "The NIC is on a port already.", "switch.md 3.1 T2"),
            // It has moved: what is said late at the port that it was on is not said to it.
            _ when !IsAt(state, a.Port) => Illegal(state, a, Elsewhere, MovedAway, "O04"),
            _ when state.OidOrNull is not null =>
                Illegal(state, a, "nic.busy", "An OID about this NIC is not completed yet.", "switch.md 9.3.5"),
            _ when state.BodyOrNull is { Work: not null } => NicWorks.Busy, // it comes again; nothing was decided
            _ when NicTransfers.IsAbout(oid) => NicTransfers.Judge(state, a),

            NicState.Created s when oid == OidCode.NicConnect => Proceed(s.Body, a, turn, s,
                open => new NicConnectProposed(open, s.Body.NextRevision), () => new NicConnected(a.Request.RequestId, null, RestoreBy: restoreBy), "Connected"),
            NicState.Created when oid == OidCode.NicDisconnect =>
                Illegal(state, a, "nic.disconnect.not-connected", "The NIC was never connected; NIC_DELETE ends it.", "X04"),
            NicState.Created when oid == OidCode.NicUpdated =>
                Illegal(state, a, "nic.update.not-connected", "A NIC is updated while it is connected only.", "X22"),
            NicState.Created s when oid == OidCode.NicDelete => Delete(s, s.Body, a, turn),

            NicState.Connected when oid == OidCode.NicConnect =>
                Illegal(state, a, "nic.connect.connected", "The NIC is connected.", "X03"),
            NicState.Connected s when oid == OidCode.NicUpdated =>
                a.Request.Parameters is NicParameters changes ? NicWorks.Update(s, a, changes, turn) : Missing(),
            NicState.Connected s when oid == OidCode.NicDisconnect => Proceed(s.Body, a, turn, s,
                open => new NicDisconnectReceived(open, s.Body.NextRevision), () => new NicDisconnected(a.Request.RequestId, null), "Disconnected"),
            NicState.Connected when oid == OidCode.NicDelete =>
                Illegal(state, a, DeleteConnected, "NIC_DISCONNECT comes first.", "X05"),

            NicState.Disconnected when oid == OidCode.NicConnect =>
                Illegal(state, a, "nic.connect.disconnected", "No edge leads back: NIC_DELETE, then NIC_CREATE.", "X10"),
            NicState.Disconnected when oid == OidCode.NicUpdated =>
                Illegal(state, a, "nic.update.not-connected", "A NIC is updated while it is connected only.", "X23"),
            NicState.Disconnected when oid == OidCode.NicDisconnect =>
                Illegal(state, a, "nic.disconnect.not-connected", "The NIC is disconnected.", "switch.md 3.1"),
            NicState.Disconnected s when oid == OidCode.NicDelete => Delete(s, s.Body, a, turn),

            _ => Decision<NicEvent>.Accept(Settled(state)), // other OIDs are passed on unmodified (switch.md 3.2, R18)
        };
    }

    internal static bool IsAt(NicState state, EntityId port) =>
        state.BodyOrNull is not { Place: var place } || EntityId.Port(place.Host, place.Switch, place.Port) == port;

    static Decision<NicEvent> Create(NicState state, ArriveOid a, in Turn turn)
    {
        if (a.Request.Parameters is not NicParameters parameters)
        {
            return Missing();
        }
        var at = a.Port.Parts;
        var place = new NicPlace(at[0], at[1], at[2], a.Request.PortId, a.Request.NicIndex);
        var made = parameters with
        {
            Mtu = a.Mtu ?? parameters.Mtu,
            Attach = parameters.NicType == NicType.Internal ? NicAttach.Host : parameters.Attach,
        };
        var policy = HasDevice(made) ? NicWorks.Wanted(a.Policy, MacOf(made)) : null;
        var proposed = new NicCreateProposed(Open(a, turn), place, made, Math.Max(state.Epoch + 1, parameters.Epoch), policy, a.Restoring);
        if (a.Refused is { } by)
        {
            return Decision<NicEvent>.Accept(
                new OidSettled(by.Status, by, "Created", "Absent"), proposed, new NicCreateRefused(a.Request.RequestId, by));
        }
        return HasDevice(parameters)
            ? Decision<NicEvent>.Accept(null, proposed)
            : Decision<NicEvent>.Accept(Settled("Created"), proposed, new NicCreated(a.Request.RequestId, null));
    }

    static Decision<NicEvent> Delete(NicState state, NicBody body, ArriveOid a, in Turn turn) =>
        body.Drain.Open
            ? Proceed(body, a, turn, state,
                open => new NicDeleteReceived(open, body.NextRevision), () => new NicDeleted(a.Request.RequestId), "Absent")
            : Decision<NicEvent>.Refuse(new Refusal(
                RefusalKind.Conflict, "nic.delete.draining", $"NIC_DELETE has to wait for {body.Drain.InWords}.", "G3", state.Name,
                Holds: body.Drain.Report));

    /// <summary>Begins an OID; a NIC without a device of ours (external, internal) is settled in the same turn.</summary>
    static Decision<NicEvent> Proceed(
        NicBody body, ArriveOid a, in Turn turn, NicState state, Func<OpenOid, NicEvent> begun, Func<NicEvent> completed, string name)
    {
        Debug.Assert(state.OidOrNull is null);
        var begin = begun(Open(a, turn));
        return HasDevice(body.Parameters)
            ? Decision<NicEvent>.Accept(null, begin)
            : Decision<NicEvent>.Accept(Settled(name), begin, completed());
    }

    /// <summary>The host's answer to a command: an OID's, or a repair's; or the switch's word on a drift.</summary>
    static Decision<NicEvent> Settle(NicState state, AnswerArrived answer, in Turn turn)
    {
        if (HostLoss.In(answer.Refusal) is { } lost)
        {
            return NicLosses.End(state, lost, answer.Refusal!);
        }
        if (state.OidOrNull is not { } oid)
        {
            return state.BodyOrNull is { Work: { } work } at ? NicWorks.Settle(state, at, work, answer) : NicDevice.Settle(state, answer);
        }
        var completion = (answer.Reply as CommandDone)?.Completion;
        var status = completion?.Status ?? NdisStatus.Failure;
        var (id, observed, session) = (oid.Request.RequestId, completion?.Observed, (answer.Reply as CommandDone)?.Session ?? 0);
        var restoreBy = state.BodyOrNull is { } body ? NicTransfers.RestoreBy(body, turn.Now) : null;
        return state switch
        {
            NicState.Creating { Undoing: { } by } => Refused(oid, by),
            NicState.Creating s => SettleCreate(s, oid, status, completion, session),
            NicState.Connecting => Late(oid, "Connected", [.. Faulted(oid, DriverVerb.ConnectNic, status, completion), new NicConnected(id, observed, session, restoreBy)]),
            NicState.Disconnecting => Late(oid, "Disconnected",
                [.. Faulted(oid, DriverVerb.DisconnectNic, status, completion), new NicDisconnected(id, observed, session)]),
            NicState.Deleting => Late(oid, "Absent", [.. Faulted(oid, DriverVerb.DeleteNic, status, completion), new NicDeleted(id) { Session = observed is { Present: false } ? session : 0 }]),
            _ => throw new UnreachableException(state.ToString()),
        };
    }

    /// <summary>Created is what was read back whole. A device that is there all the same is removed before the refusal is told.</summary>
    static Decision<NicEvent> SettleCreate(NicState.Creating s, OpenOid oid, NdisStatus status, Completion? completion, long session)
    {
        var whole = NicDevice.Enforces(completion?.Observed, s.Body.Policy);
        if (status == NdisStatus.Success && whole)
        {
            return Late(oid, "Created", new NicCreated(oid.Request.RequestId, completion?.Observed, session));
        }
        var by = RefusedBy.Edge(
            status == NdisStatus.Success ? NdisStatus.Failure : status, whole ? completion?.Detail : completion?.Detail ?? "the host does not enforce the port's policy");
        return completion?.Observed is { Present: true, Epoch: var epoch } && epoch == s.Epoch
            ? Decision<NicEvent>.Accept(null, new NicCreateUndoing(oid.Request.RequestId, by))
            : Refused(oid, by);
    }

    static Decision<NicEvent> Refused(OpenOid oid, RefusedBy by) => Decision<NicEvent>.Accept(
        [new NicCreateRefused(oid.Request.RequestId, by)], null,
        [new LateAnswer(oid.MessageId, new OidSettled(by.Status, by, "Created", "Absent"), null)]);

    static Decision<NicEvent> Hold(NicState state, TakeHold take, in Turn turn) => state switch
    {
        NicState.Connected s when s.Body.Drain.Holds.ContainsKey(take.HoldId) =>
            Decision<NicEvent>.Refuse(new Refusal(RefusalKind.Conflict, "hold.exists", "There is a hold with this id.")),
        NicState.Connected s when s.Body.Drain.Holds.Count >= Drain.HoldsMax =>
            Decision<NicEvent>.Refuse(new Refusal(RefusalKind.Conflict, "hold.limit", $"A NIC carries at most {Drain.HoldsMax} holds.")),
        NicState.Connected => Decision<NicEvent>.Accept(
            new HoldTaken(take.HoldId), new NicHeld(new Hold(take.HoldId, take.Holder, take.Purpose, turn.Now))),
        _ => Decision<NicEvent>.Refuse(Refusal.Illegal("nic.hold.not-connected", "A NIC is referenced while it is connected only.", "R1", state.Name)),
    };

    static Decision<NicEvent> Release(NicState state, ReleaseHold release) =>
        state.BodyOrNull is { } body && body.Drain.Holds.ContainsKey(release.HoldId)
            ? Drained(body.Drain.Released(release.HoldId), new NicReleased(release.HoldId))
            : Decision<NicEvent>.Refuse(new Refusal(RefusalKind.NotFound, "hold.unknown", "There is no such hold; each is released once.", "R4"));

    static Decision<NicEvent> InFlight(NicState state, SetInFlight set) =>
        state.BodyOrNull is { } body
            ? Drained(body.Drain.InFlight(set.Packets, set.Oids), new NicInFlightSet(set.Packets, set.Oids))
            : Decision<NicEvent>.Refuse(new Refusal(RefusalKind.NotFound, NotThere, "There is no such NIC."));

    /// <summary>After a release or a drain notice the gate is looked at again (switch.md 9.4).</summary>
    static Decision<NicEvent> Drained(Drain after, NicEvent happened) =>
        after.Waiters.Length > 0 && after.Open
            ? Decision<NicEvent>.Accept([happened, new NicDrained()], new Done(), after.AnswerWaiters())
            : Decision<NicEvent>.Accept(new Done(), happened);

    static Decision<NicEvent> WaitForGate(NicState state, in Turn turn) =>
        state.BodyOrNull is not { Drain.Open: false } body
            ? Decision<NicEvent>.Accept(new GateOpen())
            : Decision<NicEvent>.Accept(null, new NicDeleteDeferred(turn.MessageId, turn.Now, body.Drain.Report));

    static Decision<NicEvent> Stuck(NicState state) =>
        state.BodyOrNull is { Drain: { Since: not null, Stuck: false } drain }
            ? Decision<NicEvent>.Accept(null, new NicDrainStuck(drain.Report))
            : Decision<NicEvent>.Ignore;

    /// <summary>O07, switch.md 8.7: while connected, and after that only under a reference taken before.</summary>
    static Decision<NicEvent> Indicate(NicState state, IndicateStatus status) =>
        state is NicState.Connected || state.BodyOrNull is { Drain.Holds.IsEmpty: false }
            ? Decision<NicEvent>.Accept(new Done())
            : Decision<NicEvent>.Refuse(Refusal.Illegal(
                "nic.status.not-connected", $"{status.Status} is not forwarded: the NIC is not connected and nobody holds it.", "O07", state.Name));

    public static NicState Evolve(NicState state, NicEvent happened) => (state, happened) switch
    {
        (NicState.Absent s, NicCreateProposed e) => new NicState.Creating(
            s.Id, e.Epoch, new NicBody(e.Place, e.Parameters, 1, 0, null, 0, null, Drain.Empty, e.Policy,
                Transfer: e.Restoring ? new NicTransfer(Expected: true) : null), e.Oid),
        (NicState.Creating s, NicCreateUndoing e) => s with { Undoing = e.By },
        (NicState.Creating s, NicCreated e) => new NicState.Created(s.Id, s.Epoch, NicDevice.Seen(s.Body, e.Observed, e.Session, up: false)),
        (NicState.Creating s, NicCreateRefused) => new NicState.Absent(s.Id, s.Epoch),
        (NicState.Created s, NicConnectProposed e) => new NicState.Connecting(s.Id, s.Epoch, AtConnect(s.Body, e), e.Oid),
        (NicState.Connecting s, NicConnected e) => new NicState.Connected(s.Id, s.Epoch, Transferred(NicDevice.Seen(s.Body, e.Observed, e.Session, up: true), e)),
        (NicState.Connected s, NicDisconnectReceived e) => new NicState.Disconnecting(s.Id, s.Epoch, s.Body with
        {
            Revision = e.Revision,
            Transfer = s.Body.Transfer is { } transfer ? transfer with { Open = null } : null,
        }, e.Oid),
        (NicState.Disconnecting s, NicDisconnected e) => new NicState.Disconnected(s.Id, s.Epoch, NicDevice.Seen(s.Body, e.Observed, e.Session, up: false)),
        (NicState.Created s, NicDeleteReceived e) => new NicState.Deleting(s.Id, s.Epoch, s.Body with { Revision = e.Revision }, e.Oid),
        (NicState.Disconnected s, NicDeleteReceived e) => new NicState.Deleting(s.Id, s.Epoch, s.Body with { Revision = e.Revision }, e.Oid),
        (NicState.Deleting s, NicDeleted e) => new NicState.Absent(s.Id, s.Epoch) { SeenIn = e.Session },
        (not NicState.Absent, NicLost) => new NicState.Absent(state.Id, state.Epoch),
        (_, NicEdgeFaulted) => state,
        (_, NicHeld e) => With(state, body => body with { Drain = body.Drain.Held(e.Hold) }),
        (_, NicReleased e) => With(state, body => body with { Drain = body.Drain.Released(e.HoldId) }),
        (_, NicInFlightSet e) => With(state, body => body with { Drain = body.Drain.InFlight(e.Packets, e.Oids) }),
        (_, NicDeleteDeferred e) => With(state, body => body with { Drain = body.Drain.Deferred(e.MessageId, e.Since) }),
        (_, NicDrained) => With(state, body => body with { Drain = body.Drain.Drained() }),
        (_, NicDrainStuck) => With(state, body => body with { Drain = body.Drain with { Stuck = true } }),
        (NicState.Connected s, NicSeriesOpened or NicSeriesCompleted or NicSeriesFailed or NicRestoreOverdue) =>
            s with { Body = Transferred(s.Body, happened) },
        (NicState.Connected s, NicUpdated or NicReadStarted or NicReadEnded or NicRuntimeRestoreStarted or NicRuntimeRestoreEnded
            or NicAnnounceStarted or NicAnnounced) =>
            s with { Body = NicWorks.Evolve(s.Body, happened, up: true) },
        (NicState.Created or NicState.Connected or NicState.Disconnected, NicPolicyProposed or NicPolicyApplied or NicPolicyRefused) =>
            With(state, body => NicWorks.Evolve(body, happened, state is NicState.Connected)),
        (_, NicDrifted or NicConverged or NicSeen or NicDriftTold or NicRepairStarted or NicRepaired) =>
            With(state, body => NicDevice.Evolve(body, happened)),
        _ => throw new UnreachableException($"{happened} cannot follow {state}"),
    };

    public static IEnumerable<Effect> Outstanding(NicState state)
    {
        var verb = state switch
        {
            NicState.Creating { Undoing: not null } => DriverVerb.DeleteNic,
            NicState.Creating => DriverVerb.CreateNic,
            NicState.Connecting => DriverVerb.ConnectNic,
            NicState.Disconnecting => DriverVerb.DisconnectNic,
            NicState.Deleting => DriverVerb.DeleteNic,
            _ => default,
        };
        if (state is { OidOrNull: not null, BodyOrNull: { } body })
        {
            // Named after epoch and revision: a peer's request ids are its own and may come again.
            yield return NicDevice.Command(
                state, body, string.Create(CultureInfo.InvariantCulture, $"{state.Epoch}.{body.Revision}:{verb}"), verb, state is NicState.Connecting);
        }
        foreach (var effect in NicWorks.Outstanding(state).Concat(NicDevice.Outstanding(state)).Concat(NicTransfers.Outstanding(state))
            .Concat(state.BodyOrNull?.Drain.Outstanding() ?? []))
        {
            yield return effect;
        }
    }

    static NicBody Transferred(NicBody body, NicEvent happened) =>
        body with { Transfer = NicTransfers.Evolve(body.Transfer ?? NicTransfer.None, happened) };

    internal static NicState With(NicState state, Func<NicBody, NicBody> change) => state switch
    {
        NicState.Creating s => s with { Body = change(s.Body) },
        NicState.Created s => s with { Body = change(s.Body) },
        NicState.Connecting s => s with { Body = change(s.Body) },
        NicState.Connected s => s with { Body = change(s.Body) },
        NicState.Disconnecting s => s with { Body = change(s.Body) },
        NicState.Disconnected s => s with { Body = change(s.Body) },
        NicState.Deleting s => s with { Body = change(s.Body) },
        _ => throw new UnreachableException($"no attachment in {state}"),
    };

    /// <summary>What NIC_CONNECT brings is read again, the MTU above all (switch.md 2.4).</summary>
    static NicBody AtConnect(NicBody body, NicConnectProposed e) => body with
    {
        Revision = e.Revision,
        Parameters = e.Oid.Request.Parameters is NicParameters given ? Merged(body.Parameters, given) : body.Parameters,
    };

    /// <summary>Identity stays; what is not given stays (switch.md 2.4 NIC_UPDATED).</summary>
    internal static NicParameters Merged(NicParameters old, NicParameters changes) => old with
    {
        NicFriendlyName = changes.NicFriendlyName ?? old.NicFriendlyName,
        NetCfgInstanceId = changes.NetCfgInstanceId ?? old.NetCfgInstanceId,
        Mtu = changes.Mtu ?? old.Mtu,
        NumaNodeId = changes.NumaNodeId ?? old.NumaNodeId,
        PermanentMacAddress = changes.PermanentMacAddress ?? old.PermanentMacAddress,
        VmMacAddress = changes.VmMacAddress ?? old.VmMacAddress,
        CurrentMacAddress = changes.CurrentMacAddress ?? old.CurrentMacAddress,
        VfAssigned = changes.VfAssigned ?? old.VfAssigned,
    };

    /// <summary>An external NIC is the host's own adapter: nothing is made for it.</summary>
    internal static bool HasDevice(NicParameters parameters) => parameters.NicType != NicType.External;

    /// <summary>The address that policies are enforced against: the current one, or the permanent one (switch.md 1.4).</summary>
    internal static string? MacOf(NicParameters parameters) =>
        MacAddress.Canonical(parameters.CurrentMacAddress) ?? MacAddress.Canonical(parameters.PermanentMacAddress);

    static OpenOid Open(ArriveOid a, in Turn turn) => new(turn.MessageId, a.Request, a.Switch, a.Port, a.Nic, a.Refused, a.Mtu);

    static OidSettled Settled(string name) => new(NdisStatus.Success, null, "Created", name);

    internal static OidSettled Settled(NicState state) => Settled(state.Name);

    static Decision<NicEvent> Late(OpenOid oid, string name, params ImmutableArray<NicEvent> events) =>
        Decision<NicEvent>.Accept(events, null, [new LateAnswer(oid.MessageId, Settled(name), null)]);

    static IEnumerable<NicEvent> Faulted(OpenOid oid, DriverVerb verb, NdisStatus status, Completion? completion) =>
        status == NdisStatus.Success ? [] : [new NicEdgeFaulted(oid.Request.RequestId, verb, status, completion?.Detail)];

    static Decision<NicEvent> Missing() =>
        Decision<NicEvent>.Refuse(new Refusal(RefusalKind.Unprocessable, "oid.parameters", "The OID needs NIC parameters.", "O13", Field: "parameters"));

    internal static Decision<NicEvent> Illegal(NicState state, ArriveOid a, string code, string detail, string rule) =>
        Decision<NicEvent>.Refuse(Refusal.Illegal(code, $"{a.Request.Oid}: {detail}", rule, state.Name));
}
