using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Nics;

/// <summary>
/// Save and restore as a NIC sees them (switch.md 4.1, 4.2): rounds and their COMPLETE, of a connected NIC alone, one
/// series at a time. Who has data, and whose it is, is the switch's business.
/// </summary>
static class NicTransfers
{
    public static bool IsAbout(OidCode oid) =>
        oid == OidCode.NicSave || oid == OidCode.NicSaveComplete || oid == OidCode.NicRestore || oid == OidCode.NicRestoreComplete;

    public static Decision<NicEvent> Judge(NicState state, ArriveOid a)
    {
        var (oid, id) = (a.Request.Oid, a.Request.RequestId);
        var series = oid == OidCode.NicSave || oid == OidCode.NicSaveComplete ? NicSeries.Save : NicSeries.Restore;
        var word = series == NicSeries.Save ? "save" : "restore";
        if (state is not NicState.Connected { Body: var body })
        {
            return NicLifecycle.Illegal(
                state, a, $"nic.{word}.not-connected", $"A NIC is {word}d while it is connected only.", series == NicSeries.Save ? "S09" : "M08");
        }
        if (InTheWay(body, series) is { } other)
        {
            return Decision<NicEvent>.Refuse(other);
        }
        var transfer = body.Transfer ?? NicTransfer.None;
        if (oid == OidCode.NicSaveComplete || oid == OidCode.NicRestoreComplete)
        {
            // A restoring port whose NIC had nothing to save gets its COMPLETE all the same.
            return transfer.Open == series || (series == NicSeries.Restore && transfer is { Expected: true, Restored: false })
                ? Decision<NicEvent>.Accept(NicLifecycle.Settled(state), new NicSeriesCompleted(id, series))
                : NicLifecycle.Illegal(state, a, $"nic.{word}.no-series", $"No {word} is open.", "switch.md 11");
        }
        var again = series == NicSeries.Save && a.Refused?.Status == NdisStatus.BufferTooShort; // with more room (S04)
        return (a.Refused, transfer.Open) switch
        {
            ({ } by, null) when again => Decision<NicEvent>.Accept(Failing(state, by), new NicSeriesOpened(id, series)),
            ({ } by, _) when again => Decision<NicEvent>.Accept(Failing(state, by)),
            ({ } by, _) => Decision<NicEvent>.Accept(Failing(state, by), new NicSeriesFailed(id, series, by)),
            (null, null) => Decision<NicEvent>.Accept(NicLifecycle.Settled(state), new NicSeriesOpened(id, series)),
            _ => Decision<NicEvent>.Accept(NicLifecycle.Settled(state)),
        };
    }

    /// <summary>A connected NIC is in one series at a time (switch.md 11).</summary>
    public static Refusal? InTheWay(NicBody body, NicSeries series) =>
        body.Transfer?.Open is { } open && open != series
            ? Refusal.Illegal(
                $"nic.{(series == NicSeries.Save ? "save" : "restore")}.other-open", "The NIC has another series open.", "switch.md 11", "Connected")
            : null;

    static OidSettled Failing(NicState state, RefusedBy by) => new(by.Status, by, "Created", state.Name);

    public static NicTransfer Evolve(NicTransfer transfer, NicEvent happened) => happened switch
    {
        NicSeriesOpened e => transfer with { Open = e.Series },
        NicSeriesCompleted { Series: NicSeries.Restore } => transfer with { Open = null, Restored = true, Overdue = false },
        NicSeriesCompleted or NicSeriesFailed => transfer with { Open = null },
        NicRestoreOverdue => transfer with { Overdue = true },
        NicConnected e => transfer with { RestoreBy = e.RestoreBy },
        _ => transfer,
    };

    /// <summary>When NIC_CONNECT is completed now, until when the restore is expected; null if none is.</summary>
    public static DateTimeOffset? RestoreBy(NicBody body, DateTimeOffset now) =>
        body.Transfer is { Expected: true } ? now + NicTransfer.RestoreMax : null;

    static bool Awaited(NicState state) =>
        state is NicState.Connected { Body.Transfer: { RestoreBy: not null, Restored: false, Overdue: false } };

    public static Decision<NicEvent> Elapsed(NicState state, string effect) =>
        Awaited(state) && Outstanding(state).Any(wake => wake.Id == effect)
            ? Decision<NicEvent>.Accept(null, new NicRestoreOverdue())
            : Decision<NicEvent>.Ignore;

    public static IEnumerable<Effect> Outstanding(NicState state) =>
        Awaited(state) && state.BodyOrNull?.Transfer?.RestoreBy is { } by ? [new Effect.WakeAt($"{WakePrefix}{by.UtcTicks}", by, NicTransfer.RestoreMax)] : [];

    public const string WakePrefix = "restore:";
}
