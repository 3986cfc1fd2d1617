using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>Saves and restores of the NICs of one switch: who may begin one, and what its OIDs leave on record (switch.md 9.2).</summary>
static class NicDataTransfers
{
    public static Decision<SwitchEvent> Start(SwitchState.Here s, string port, int nicIndex, IReadOnlyList<NicBlob>? blobs, in Turn turn)
    {
        var verb = blobs is null ? "save" : "restore";
        if (s.Ports.Values.FirstOrDefault(known => known.Name == port) is not { } on)
        {
            return Refuse(RefusalKind.NotFound, "port.absent", $"There is no port {port} on {s.Id}.");
        }
        if (!on.Nics.TryGetValue(nicIndex, out var nic))
        {
            return Refuse(RefusalKind.NotFound, "nic.absent", $"There is no NIC {nicIndex} on port {port}.");
        }
        if (nic.State != "Connected")
        {
            return Refuse(
                RefusalKind.Conflict, $"nic.{verb}.not-connected", $"A NIC is {verb}d while it is connected only.",
                blobs is null ? "S09" : "M08", nic.State);
        }
        if (s.Transfers.Values.Any(open => open.PortId == on.PortId && open.NicIndex == nicIndex))
        {
            return Refuse(
                RefusalKind.Conflict, "nic.transfer.open", "The NIC is being saved or restored: one at a time.", "S05", nic.State);
        }
        if (blobs is not null && (blobs.Count > NicDataTransfer.BlobsMax || blobs.Sum(NicDataTransfer.Bytes) > NicDataTransfer.BytesMax))
        {
            return Refuse(RefusalKind.Unprocessable, "nic.restore.blobs",
                $"A NIC has at most {NicDataTransfer.BlobsMax} blobs of {NicDataTransfer.BytesMax} bytes together.");
        }
        if (blobs?.Index().FirstOrDefault(blob => NicDataTransfer.Bytes(blob.Item) > PayloadSizes.BlobMax) is { Item: not null } large)
        {
            return Decision<SwitchEvent>.Refuse(NicDataTransfer.TooLarge($"blobs[{large.Index}].data"));
        }
        return s.Transfers.Count >= NicDataTransfer.Max
            ? Refuse(
                RefusalKind.Overloaded, "actor.overloaded",
                $"{NicDataTransfer.Max} NICs of {s.Id} are being saved or restored; try again later.")
            : OidLane.Advance(s, [new NicDataTransferStarted(turn.MessageId, on.PortId, nicIndex, blobs)], [], turn.Now);
    }

    public static SwitchState.Here Started(SwitchState.Here s, NicDataTransferStarted e)
    {
        var transfer = new NicDataTransfer(e.MessageId, e.PortId, e.NicIndex, e.Blobs is not null, [.. e.Blobs ?? []]);
        return Anew(s with { Transfers = s.Transfers.Add(e.MessageId, transfer) }, transfer);
    }

    public static SwitchState.Here Ended(SwitchState.Here s, NicDataTransferEnded e) =>
        Anew(s with { Transfers = s.Transfers.Remove(e.MessageId) }, s.Transfers.GetValueOrDefault(e.MessageId));

    /// <summary>
    /// A save is whole: what anybody gave before it, to a peer's round or to a save that came to no end, it gives again.
    /// A restore has no say in the rounds of a save that is open.
    /// </summary>
    static SwitchState.Here Anew(SwitchState.Here s, NicDataTransfer? transfer) =>
        transfer is { Restores: false } ? SwitchRules.Saved(s, transfer.PortId, transfer.NicIndex, saved => saved.Clear()) : s;

    /// <summary>The transfer that waits for this OID.</summary>
    public static NicDataTransfer? Of(SwitchState.Here s, string messageId) =>
        s.Transfers.Values.FirstOrDefault(open => open.Waiting == messageId);

    /// <summary>The next OID of a transfer is queued like all others; or the transfer is over.</summary>
    public static LaneStep Step(NicDataTransfer transfer)
    {
        if (transfer.Over)
        {
            return new LaneStep([new NicDataTransferEnded(transfer.MessageId, transfer.Problem)],
                new LateAnswer(transfer.MessageId, transfer.Problem is null ? transfer.Reply : null, transfer.Problem));
        }
        var next = transfer.Next();
        return new LaneStep([new OidQueued(next.RequestId, next, FromPeer: false)], null);
    }

    /// <summary>While one saves or restores a NIC, nobody else does (switch.md 3.7): the rounds would be mixed up.</summary>
    public static OidTarget? InTheWay(SwitchState.Here s, QueuedOid head) =>
        OidTarget.IsTransfer(head.Request.Oid) && Of(s, head.MessageId) is null
            && s.Transfers.Values.Any(open => open.PortId == head.Request.PortId && open.NicIndex == head.Request.NicIndex)
            ? new OidTarget.Illegal(
                Refusal.Illegal("nic.transfer.open", "The NIC is being saved or restored: one at a time.", "S05", "Connected"))
            : null;

    /// <summary>External and internal NICs have no data path of ours to read.</summary>
    public static bool HasRuntime(SwitchState.Here s, EntityId nic) =>
        s.Ports.Values.SelectMany(port => port.Nics.Values)
            .Any(known => known.Id == nic && known.Type is NicType.Synthetic or NicType.Emulated);

    /// <summary>
    /// The NIC has said what it gathered, and the NIC_SAVE goes down. A NIC that cannot say it lets the save fail, not
    /// pass with less; whether it may be saved at all it judges when the OID reaches it.
    /// </summary>
    public static (StackVerdict Verdict, NicRuntime? Runtime) Read(SwitchState.Here s, SlotOid slot, AnswerArrived answer) => answer switch
    {
        { Reply: RuntimeRead read } => (Stack.Down(s, slot.Request, read.Runtime), read.Runtime),
        _ => (StackVerdict.Empty with { Refused = Edge(answer.Refusal) }, null),
    };

    public static StackVerdict Restored(SlotOid slot, AnswerArrived answer) =>
        answer.Refusal is null
            ? slot.Verdict with { Restores = null }
            : slot.Verdict with { Restores = null, Completed = null, Refused = Edge(answer.Refusal) };

    static RefusedBy Edge(Refusal? refusal) =>
        new(
            RefusedBy.EdgePosition, RefusedBy.EdgeName,
            refusal?.Kind == RefusalKind.Overloaded ? NdisStatus.Resources : NdisStatus.Failure);

    /// <summary>What a completed step of a save or restore leaves on record (switch.md 9.2).</summary>
    public static IEnumerable<SwitchEvent> Rounds(SlotOid slot, OidOutcome outcome)
    {
        var (id, port, index, oid) = (outcome.RequestId, outcome.PortId, outcome.NicIndex, outcome.Oid);
        var done = outcome.Status == NdisStatus.Success;
        if (oid == OidCode.NicSave && done && slot.Verdict.Completed is { Saved: { } blob } by)
        {
            yield return new SaveRound(
                id, port, index, blob.ExtensionId, $"{by.Class.ToString().ToLowerInvariant()}/{by.Extension}", NicDataTransfer.Bytes(blob));
        }
        else if (oid == OidCode.NicSave && !done && outcome.BytesNeeded is null)
        {
            yield return new SaveFailed(id, port, index, outcome.RefusedBy, outcome.Status);
        }
        else if (oid == OidCode.NicSaveComplete && done)
        {
            yield return new SaveCompleted(id, port, index);
        }
        else if (oid == OidCode.NicRestore && slot.Request.Parameters is NicRestoreParameters restored)
        {
            yield return done
                ? new RestoreRound(id, port, index, restored.ExtensionId, slot.Verdict.Completed?.Extension)
                : new RestoreFailed(id, port, index, restored.ExtensionId, outcome.Status);
        }
        else if (oid == OidCode.NicRestoreComplete && done)
        {
            yield return new RestoreCompleted(id, port, index);
        }
    }

    static Decision<SwitchEvent> Refuse(RefusalKind kind, string code, string detail, string? rule = null, string? state = null) =>
        Decision<SwitchEvent>.Refuse(new Refusal(kind, code, detail, rule, state));
}
