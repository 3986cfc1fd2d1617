using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Nics;

/// <summary>
/// Commands to the host that move no lifecycle state: a policy is applied, what the data path gathered is read or given
/// back. One at a time: whoever comes while one is open is told to come again.
/// </summary>
static class NicWorks
{
    public static readonly Decision<NicEvent> Busy = Decision<NicEvent>.Refuse(new Refusal(
        RefusalKind.Unavailable, "nic.busy", "A command for the device is open; ask again after it."));

    /// <summary>The port's properties changed. A NIC without a device, or that has gone meanwhile, has nothing to enforce.</summary>
    public static Decision<NicEvent> Enforce(NicState state, EnforcePolicy enforce, in Turn turn)
    {
        if (state.BodyOrNull is not { } body || !NicLifecycle.HasDevice(body.Parameters) || (enforce.Port is { } port && !NicLifecycle.IsAt(state, port)))
        {
            return Decision<NicEvent>.Accept(NicLifecycle.Settled(state));
        }
        if (Open(state, body))
        {
            return Busy;
        }
        var policy = Wanted(enforce.Policy, body.Mac);
        return policy == body.Policy && NicDevice.Enforces(body.Observed, policy)
            ? Decision<NicEvent>.Accept(NicLifecycle.Settled(state))
            : Decision<NicEvent>.Accept(null, new NicPolicyProposed(turn.MessageId, enforce.RequestId, policy, null, body.NextRevision));
    }

    /// <summary>NIC_UPDATED: the guard follows the current address (switch.md 1.4), the device the MTU.</summary>
    public static Decision<NicEvent> Update(NicState.Connected s, ArriveOid a, NicParameters changes, in Turn turn)
    {
        var after = NicLifecycle.Merged(s.Body.Parameters, changes);
        var mac = NicLifecycle.MacOf(after);
        // What the host failed is asked of it again when it is said again.
        var asApplied = mac == s.Body.Mac && after.Mtu == s.Body.Parameters.Mtu && s.Body.Applied >= s.Body.Revision;
        return !NicLifecycle.HasDevice(after) || asApplied
            ? Decision<NicEvent>.Accept(NicLifecycle.Settled(s), new NicUpdated(a.Request.RequestId, changes))
            : Decision<NicEvent>.Accept(null, new NicPolicyProposed(
                turn.MessageId, a.Request.RequestId, s.Body.Policy ?? Wanted(PortPolicy.Default, mac), changes, s.Body.NextRevision));
    }

    public static Decision<NicEvent> Read(NicState state, in Turn turn) => state switch
    {
        NicState.Connected s when Open(s, s.Body) => Busy,
        NicState.Connected s when !NicLifecycle.HasDevice(s.Body.Parameters) => Decision<NicEvent>.Accept(new RuntimeRead(NicRuntime.Empty)),
        NicState.Connected s => Decision<NicEvent>.Accept(null, new NicReadStarted(turn.MessageId, s.Body.NextRevision)),
        _ => Decision<NicEvent>.Refuse(Refusal.Illegal(
            "nic.runtime.not-connected", "What a NIC gathered is read while it is connected only.", "S09", state.Name)),
    };

    public static Decision<NicEvent> Announce(NicState state, in Turn turn) => state switch
    {
        NicState.Connected s when Open(s, s.Body) => Busy,
        NicState.Connected s when s.Body.Mac is null || !NicLifecycle.HasDevice(s.Body.Parameters) => Decision<NicEvent>.Accept(new Done()),
        NicState.Connected s => Decision<NicEvent>.Accept(null, new NicAnnounceStarted(turn.MessageId, s.Body.NextRevision)),
        _ => Decision<NicEvent>.Refuse(Refusal.Illegal(
            "nic.announce.not-connected", "An address is announced where its NIC is connected.", "switch.md 4.5", state.Name)),
    };

    /// <summary>It comes before the NIC_RESTORE that it is for: where that is illegal, nothing is given back.</summary>
    public static Decision<NicEvent> Restore(NicState state, RestoreRuntime restore, in Turn turn) => state switch
    {
        NicState.Connected s when NicTransfers.InTheWay(s.Body, NicSeries.Restore) is { } other => Decision<NicEvent>.Refuse(other),
        NicState.Connected s when Open(s, s.Body) => Busy,
        NicState.Connected s when !NicLifecycle.HasDevice(s.Body.Parameters) => Decision<NicEvent>.Accept(new Done()),
        NicState.Connected s => Decision<NicEvent>.Accept(null, new NicRuntimeRestoreStarted(turn.MessageId, restore.Runtime, s.Body.NextRevision)),
        _ => Decision<NicEvent>.Refuse(Refusal.Illegal(
            "nic.runtime.not-connected", "A NIC takes what was gathered elsewhere after NIC_CONNECT only.", "M08", state.Name)),
    };

    /// <summary>What is enforced for a NIC. Without an address of its own there is nothing that the default could guard.</summary>
    public static PortPolicy? Wanted(PortPolicy? policy, string? mac) => mac is null && policy == PortPolicy.Default ? null : policy;

    static bool Open(NicState state, NicBody body) =>
        state.OidOrNull is not null || body.Work is not null || body.Drift is { Stage: DriftStage.Repairing };

    /// <summary>The host's answer to the work that is open.</summary>
    public static Decision<NicEvent> Settle(NicState state, NicBody body, NicWork work, AnswerArrived answer)
    {
        var done = answer.Reply as CommandDone;
        var completion = done?.Completion;
        var status = completion?.Status ?? NdisStatus.Failure;
        var detail = completion?.Detail ?? answer.Refusal?.Detail;
        switch (work)
        {
            case NicWork.Enforce enforce:
                return SettlePolicy(state, enforce, status, detail, completion?.Observed, done?.Session ?? 0);
            case NicWork.Read when status == NdisStatus.Success && completion?.Runtime is { } runtime:
                return Late(work, new RuntimeRead(runtime), new NicReadEnded(status));
            case NicWork.Read:
                return Failed(work, body, status, detail, new NicReadEnded(status));
            case NicWork.Announce when status == NdisStatus.Success:
                return Late(work, new Done(), new NicAnnounced(status));
            case NicWork.Announce:
                return Failed(work, body, status, detail, new NicAnnounced(status));
            case NicWork.Restore when status == NdisStatus.Success:
                return Late(work, new Done(), new NicRuntimeRestoreEnded(status));
            case NicWork.Restore:
                return Failed(work, body, status, detail, new NicRuntimeRestoreEnded(status));
            default:
                throw new UnreachableException(work.ToString());
        }
    }

    static Decision<NicEvent> SettlePolicy(
        NicState state, NicWork.Enforce work, NdisStatus status, string? detail, DeviceState? observed, long session)
    {
        if (status == NdisStatus.Success && !NicDevice.Enforces(observed, work.Policy))
        {
            (status, detail) = (NdisStatus.Failure, $"read back policy {observed?.Policy ?? "none"}, not {work.Policy?.Digest}");
        }
        var applied = status == NdisStatus.Success;
        if (work.Changes is { } changes)
        {
            // NIC_UPDATED is never refused: a host that fails it is at fault, and the NIC is as the OID says (switch.md 3.5).
            // The device is not, which is drift like any other.
            var updated = new NicUpdated(work.RequestId, changes);
            return applied
                ? Late(work, NicLifecycle.Settled(state), new NicPolicyApplied(work.RequestId, observed, session), updated)
                : Late(work, NicLifecycle.Settled(state), new NicEdgeFaulted(work.RequestId, DriverVerb.ApplyPolicy, status, detail), updated,
                    new NicDrifted(string.Create(CultureInfo.InvariantCulture, $"update:{work.Number}"), observed ?? NicDevice.LastSeen(state)));
        }
        var by = RefusedBy.Edge(status, detail);
        if (applied)
        {
            return Late(work, NicLifecycle.Settled(state), new NicPolicyApplied(work.RequestId, observed, session));
        }
        var refused = new NicPolicyRefused(work.RequestId, by, observed, session);
        var reply = new OidSettled(status, by, "Created", state.Name);
        // The former policy is the one wanted. A host that did not put it back is told to, whatever the switch says of
        // drift: nobody but we were at the device.
        return observed is { Present: true } && state.BodyOrNull is { } body && !(NicDevice.Enforces(observed, body.Policy) && NicDevice.Fits(observed, body))
            ? Late(work, reply, refused, new NicRepairStarted(body.NextRevision))
            : Late(work, reply, refused);
    }

    static Decision<NicEvent> Failed(NicWork work, NicBody body, NdisStatus status, string? detail, NicEvent ended) =>
        Decision<NicEvent>.Accept([ended], null, [new LateAnswer(work.MessageId, null, new Refusal(
            RefusalKind.Conflict, "nic.runtime.host", $"Host {body.Place.Host} answered {status.Name()}: {detail}", "switch.md 4.1"))]);

    static Decision<NicEvent> Late(NicWork work, Reply reply, params ImmutableArray<NicEvent> events) =>
        Decision<NicEvent>.Accept(events, null, [new LateAnswer(work.MessageId, reply, null)]);

    public static NicBody Evolve(NicBody body, NicEvent happened, bool up) => happened switch
    {
        NicPolicyProposed e => Begun(body, new NicWork.Enforce(e.MessageId, e.Revision, e.RequestId, e.Policy, e.Changes)),
        NicReadStarted e => Begun(body, new NicWork.Read(e.MessageId, e.Number)),
        NicAnnounceStarted e => Begun(body, new NicWork.Announce(e.MessageId, e.Number)),
        NicRuntimeRestoreStarted e => Begun(body, new NicWork.Restore(e.MessageId, e.Number, e.Runtime)),
        NicPolicyApplied e when body.Work is NicWork.Enforce work => NicDevice.Seen(
            Changed(body, work.Changes) with { Work = null, Revision = work.Number, Policy = work.Policy }, e.Observed, e.Session, up),
        NicPolicyRefused e when body.Work is NicWork.Enforce => NicDevice.Seen(body with { Work = null }, e.Observed, e.Session, up),
        NicReadEnded when body.Work is NicWork.Read => body with { Work = null },
        NicAnnounced when body.Work is NicWork.Announce => body with { Work = null },
        NicRuntimeRestoreEnded when body.Work is NicWork.Restore => body with { Work = null },
        // Where the host failed it, the change is wanted all the same: the NIC is not ready until it is applied.
        NicUpdated e when body.Work is NicWork.Enforce { Changes: not null } work =>
            Changed(body, e.Changes) with { Work = null, Revision = work.Number, Policy = work.Policy },
        NicUpdated e => Changed(body, e.Changes),
        _ => throw new UnreachableException(happened.ToString()),
    };

    static NicBody Begun(NicBody body, NicWork work) => body with { Work = work, Spent = work.Number };

    static NicBody Changed(NicBody body, NicParameters? changes) =>
        changes is null ? body : body with { Parameters = NicLifecycle.Merged(body.Parameters, changes) };

    public static IEnumerable<Effect> Outstanding(NicState state)
    {
        if (state is not { BodyOrNull: { Work: { } work } body, OidOrNull: null })
        {
            yield break;
        }
        var verb = work switch
        {
            NicWork.Enforce => DriverVerb.ApplyPolicy,
            NicWork.Read => DriverVerb.ReadNic,
            NicWork.Announce => DriverVerb.AnnounceNic,
            _ => DriverVerb.RestoreNic,
        };
        var told = work is NicWork.Enforce enforce
            ? Changed(body, enforce.Changes) with
            {
                Revision = enforce.Number,
                Policy = enforce.Policy,
            }
            : body;
        var effect = string.Create(CultureInfo.InvariantCulture, $"{state.Epoch}.{work.Number}:{verb}");
        yield return NicDevice.Command(state, told, effect, verb, state is NicState.Connected, (work as NicWork.Restore)?.Runtime);
    }
}
