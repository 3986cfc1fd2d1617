using System.Diagnostics;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Nics;

/// <summary>
/// A NIC's device on the host: the commands that bring it where the NIC wants it, and drift, which is a device that is
/// not as the last applied command left it. Drift never moves a lifecycle state (design.md 5): it is recorded, told to
/// the switch, and repaired under the switch's policy alone.
/// </summary>
static class NicDevice
{
    /// <summary>A frame or a line of a snapshot.</summary>
    public static Decision<NicEvent> Report(NicState state, ReportDevice report)
    {
        var seen = report.Device;
        if (state.BodyOrNull is not { } body)
        {
            return Decision<NicEvent>.Accept(Stale(state, report) ? new Done() : new NotAttached(Absent: true));
        }
        if (report.Host is { } host && (host, seen.Switch, seen.Port) != (body.Place.Host, body.Place.Switch, body.Place.Port))
        {
            return Decision<NicEvent>.Accept(new NotAttached(Absent: false));
        }
        if (!NicLifecycle.HasDevice(body.Parameters))
        {
            return Decision<NicEvent>.Accept(new Done());
        }
        if (state.OidOrNull is not null || body.Work is not null || body.Drift is { Stage: DriftStage.Repairing })
        {
            // A report may overtake the completion that it came after: it is judged when the command is completed.
            return Decision<NicEvent>.Refuse(new Refusal(
                RefusalKind.Unavailable, "nic.busy", "A command for the device is open; the report is taken after it."));
        }
        var older = (seen.Epoch, seen.Revision).CompareTo((state.Epoch, body.Applied)) < 0;
        // A frame of a device whose alias is not ours any more says nothing of epochs: its state is taken as it is.
        if (older && (report.Snapshot ? report.Session <= body.SeenIn : seen.Epoch != 0))
        {
            return Decision<NicEvent>.Accept(new Done()); // Said before our last command was applied.
        }
        // Nor in the order in which they were sent: a frame comes from the bridge, the line of a snapshot by way of the switch.
        if (report.Snapshot ? report.At < body.Heard : report.At <= body.Heard)
        {
            return Decision<NicEvent>.Accept(new Done());
        }
        return (AsWanted(body, seen, state is NicState.Connected), body.Drift) switch
        {
            (true, null) => Known(body, report),
            (true, _) => Decision<NicEvent>.Accept(new Done(), new NicConverged(report.Source, seen) { At = report.At }),
            // A new session tells the switch again: a repair that failed, or a policy that changed, gets its turn.
            (false, { } drift) when drift.Observed == seen && !report.Snapshot => Known(body, report),
            (false, _) => Decision<NicEvent>.Accept(new Done(), new NicDrifted(report.Source, seen) { At = report.At }),
        };
    }

    /// <summary>Nothing new but its place: what was said before it is older from now on.</summary>
    static Decision<NicEvent> Known(NicBody body, ReportDevice report) => report.At is { } at && at != body.Heard
        ? Decision<NicEvent>.Accept(new Done(), new NicSeen(report.Source, at))
        : Decision<NicEvent>.Accept(new Done());

    /// <summary>Said before the host was seen without the device: NIC_DELETE is newer. A later snapshot tells what is there after it.</summary>
    static bool Stale(NicState state, ReportDevice report) => state is NicState.Absent { SeenIn: > 0 and var gone }
        && report.Device.Present && report.Device.Epoch <= state.Epoch && (!report.Snapshot || report.Session <= gone);

    /// <summary>The switch's answer to a told drift, or the host's to a repair.</summary>
    public static Decision<NicEvent> Settle(NicState state, AnswerArrived answer) => (state.BodyOrNull, answer.Reply) switch
    {
        ({ Drift.Stage: DriftStage.Telling } body, DriftAnswer { Repair: true }) =>
            Decision<NicEvent>.Accept(null, new NicDriftTold(true), new NicRepairStarted(body.NextRevision)),
        ({ Drift.Stage: DriftStage.Telling }, _) => Decision<NicEvent>.Accept(null, new NicDriftTold(false)),
        ({ Drift.Stage: DriftStage.Repairing } body, CommandDone { Completion: { Status: NdisStatus.Success } completion } done)
            when completion.Observed is not { } seen || AsWanted(body, seen, state is NicState.Connected) =>
            Decision<NicEvent>.Accept(null, new NicRepaired(completion.Observed, done.Session)),
        ({ Drift.Stage: DriftStage.Repairing } body, CommandDone { Completion: var failed }) =>
            Decision<NicEvent>.Accept(null,
                new NicEdgeFaulted($"repair:{body.Revision}", DriverVerb.RepairNic, failed.Status, failed.Detail), new NicDriftTold(false)),
        ({ Drift.Stage: DriftStage.Repairing } body, null) when answer.Refusal is { } refusal =>
            Decision<NicEvent>.Accept(null,
                new NicEdgeFaulted($"repair:{body.Revision}", DriverVerb.RepairNic, NdisStatus.Failure, refusal.Detail), new NicDriftTold(false)),
        _ => Decision<NicEvent>.Ignore,
    };

    public static NicBody Evolve(NicBody body, NicEvent happened) => happened switch
    {
        NicDrifted e => body with
        {
            Observed = e.Observed,
            Drift = new NicDrift(e.Source, e.Observed, DriftStage.Telling),
            Heard = e.At ?? body.Heard,
        },
        NicConverged e => body with { Observed = e.Observed, Drift = null, Heard = e.At ?? body.Heard },
        NicSeen e => body with { Heard = e.At },
        NicDriftTold => body with { Drift = body.Drift is { } drift ? drift with { Stage = DriftStage.Reported } : null },
        NicRepairStarted e => body with
        {
            Revision = e.Revision,
            Drift = body.Drift is { } drift ? drift with { Stage = DriftStage.Repairing } : null,
        },
        NicRepaired e => body with
        {
            Observed = e.Observed,
            SeenIn = e.Session,
            Applied = e.Observed?.Revision ?? body.Applied,
            Drift = null,
        },
        _ => throw new UnreachableException(happened.ToString()),
    };

    public static IEnumerable<Effect> Outstanding(NicState state)
    {
        if (state.BodyOrNull is not { Drift: { } drift, Work: null } body || state.OidOrNull is not null)
        {
            yield break;
        }
        switch (drift.Stage)
        {
            case DriftStage.Telling:
                yield return new Effect.Ask(
                    $"drift:{state.Epoch}:{drift.Source}", EntityId.Switch(body.Place.Host, body.Place.Switch), new TellDrift(state.Id, drift.Observed));
                break;
            case DriftStage.Repairing:
                yield return Command(state, body, $"repair:{state.Epoch}:{body.Revision}", DriverVerb.RepairNic, state is NicState.Connected);
                break;
        }
    }

    /// <summary>A command for the device; it carries epoch and revision, which the host checks and writes into the alias.</summary>
    public static Effect.Ask Command(NicState state, NicBody body, string effect, DriverVerb verb, bool up, NicRuntimePart? runtime = null)
    {
        var parts = state.Id.Parts; // VM and NIC; or host, switch, port and index of an adapter that is no VM's
        return new Effect.Ask(effect, EntityId.Bridge(body.Place.Host), new IssueCommand(new DriverCommand(
            $"{state.Id}>{effect}", verb, body.Place.Switch, body.Place.Port, parts.Length == 2 ? parts[0] : "", parts[^1], state.Id.Text,
            state.Epoch, body.Revision, up, body.Parameters.Attach, body.Mac, body.Parameters.Mtu ?? 0,
            Policy: verb is DriverVerb.CreateNic or DriverVerb.RepairNic or DriverVerb.ApplyPolicy ? body.Policy : null, Runtime: runtime)));
    }

    /// <summary>The gate is where it should be, MTU and address too, and the whole policy is enforced: applied is not accepted (design.md 5).</summary>
    public static bool AsWanted(NicBody body, DeviceState seen, bool up) =>
        seen.Present && seen.Enslaved && seen.Up == up && Enforces(seen, body.Policy) && Fits(seen, body);

    /// <summary>MTU and address are the wanted ones, as far as both are known (switch.md 2.4 NIC_UPDATED).</summary>
    public static bool Fits(DeviceState seen, NicBody body) =>
        (seen.Mtu is not { } mtu || body.Parameters.Mtu is not > 0 || mtu == body.Parameters.Mtu)
        && (seen.Mac is not { } mac || body.Mac is null || mac == body.Mac);

    public static bool Enforces(DeviceState? seen, PortPolicy? policy) => policy is null || seen?.Policy == policy.Digest;

    /// <summary>What is known of the device when a host that failed a command shows nothing.</summary>
    public static DeviceState LastSeen(NicState state)
    {
        var (body, place) = (state.BodyOrNull!, state.BodyOrNull!.Place);
        return body.Observed ?? new DeviceState(state.Id.Text, place.Switch, place.Port, "", Present: false, Up: false, Enslaved: false, 0, 0);
    }

    /// <summary>The read-back of a completed command: applied, or a drift to be told when it is not as wanted.</summary>
    public static NicBody Seen(NicBody body, DeviceState? observed, long session, bool up) => observed is null
        ? body with { Applied = NicLifecycle.HasDevice(body.Parameters) ? body.Applied : body.Revision }
        : body with
        {
            Observed = observed,
            SeenIn = session,
            Applied = observed.Revision,
            Drift = AsWanted(body, observed, up) ? null : new NicDrift($"readback:{body.Revision}", observed, DriftStage.Telling),
        };
}
