using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// What extensions sent down themselves while one OID from the protocol edge passed them (switch.md 9.3.1): how many, how
/// deep, and how each ended. Lives for one turn; what it comes to is in the verdict.
/// </summary>
/// <param name="first">The OID from the protocol edge.</param>
/// <param name="soFar">What was sent before the OID was pended.</param>
sealed class Originations(OidRequest first, StackVerdict soFar)
{
    /// <summary>
    /// OIDs and statuses that all extensions may try to send while one OID passes them; the next is the fault
    /// originated.number.
    /// </summary>
    public const int Max = 16;

    /// <summary>How far they may be inside each other; deeper is the fault originated.depth.</summary>
    public const int DepthMax = 4;

    /// <summary>Characters of a status; a longer one is a fault.</summary>
    public const int StatusMax = 128;

    readonly List<OriginatedOid> _all = [.. soFar.Originated ?? []];
    readonly List<OriginatedStatus> _statuses = [.. soFar.Indicated ?? []];
    readonly HashSet<(string Bound, int Position)> _told = [];
    int _tried = (soFar.Originated?.Count ?? 0) + (soFar.Indicated?.Count ?? 0);

    public IReadOnlyList<OriginatedOid>? OrNull => _all.Count == 0 ? null : _all;

    public IReadOnlyList<OriginatedStatus>? StatusesOrNull => _statuses.Count == 0 ? null : _statuses;

    /// <summary>Notes a status; it is forwarded if its NIC can be referenced.</summary>
    public bool Indicated(SwitchState.Here s, OriginatedStatus status)
    {
        _statuses.Add(status with { Forwarded = References(s, status.PortId, status.NicIndex) });
        return _statuses[^1].Forwarded;
    }

    /// <summary>The bound that one more would pass, or null. What is not allowed counts as well.</summary>
    /// <param name="depth">0 when it is sent while the OID from the protocol edge passes.</param>
    /// <param name="first">Nobody has told of this extension at this bound: a fault is told once.</param>
    public string? Full(int depth, int position, out bool first)
    {
        var bound = _tried >= Max ? "originated.number" : depth >= DepthMax ? "originated.depth" : null;
        first = bound is not null && _told.Add((bound, position));
        _tried += bound is null ? 1 : 0;
        return bound;
    }

    /// <summary>Notes what is sent, and names it.</summary>
    public string Begin(OidRequest parent, OidRequest own, int position, string extension)
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{first.RequestId}>{_all.Count + 1}");
        _all.Add(new OriginatedOid(parent.RequestId, id, position, extension, own.Oid, NdisStatus.Pending, []));
        return id;
    }

    public void End(string requestId, NdisStatus status, IReadOnlyList<TraceStep> trace)
    {
        var at = _all.FindIndex(own => own.RequestId == requestId);
        _all[at] = _all[at] with { Status = status, Trace = trace };
    }

    /// <summary>
    /// The extension there has sent an offload in place of this one from above: it does not pass this one on (switch.md
    /// 2.8).
    /// </summary>
    public bool Replaces(OidRequest request, int position) =>
        request is { Parameters: NicRequestParameters { InnerOid.Offload: true } }
        && _all.Any(
            own => own.Parent == request.RequestId && own.Position == position && own.Oid == OidCode.NicRequest && own.Trace.Count > 0);

    /// <summary>
    /// Why it is answered without being sent, or null. Lists of a switch that is not active would be incomplete (O09). Who
    /// sends a NIC_REQUEST references its NICs around it, and sends nothing if it cannot (switch.md 2.8, R17); as the
    /// traversal is one turn, the reference is the question whether it can be taken. A port's properties are with the port,
    /// and nothing waits for another entity in this turn.
    /// </summary>
    public NdisStatus? Withheld(SwitchState.Here s, OidRequest own) => own.Parameters switch
    {
        NicRequestParameters nic when own.Oid == OidCode.NicRequest =>
            References(s, nic.SourcePortId, nic.SourceNicIndex) && References(s, nic.DestinationPortId, nic.DestinationNicIndex) ? null
                : NdisStatus.Failure,
        _ when own.Oid == OidCode.PortPropertyEnum => NdisStatus.NotSupported,
        _ when own.Oid != OidCode.Parameters && s.Stage != SwitchStage.Ready => NdisStatus.Failure,
        _ => null,
    };

    /// <summary>From the receipt of NIC_DISCONNECT on only a reference counts that was taken before (switch.md 2.4, 3.3).</summary>
    bool References(SwitchState.Here s, uint portId, int index)
    {
        var disconnects = first.Oid == OidCode.NicDisconnect && (first.PortId, first.NicIndex) == (portId, index);
        return disconnects
            ? s.Ports.TryGetValue(portId, out var port) && port.Nics.TryGetValue(index, out var nic) && s.Holds.ContainsValue(nic.Id)
            : OidTarget.Reaches(s, portId, index);
    }
}
