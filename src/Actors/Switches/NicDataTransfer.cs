using System.Collections.Immutable;
using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>
/// The save or restore of one NIC as one operation of its switch (switch.md 4.1, 4.2). Its OIDs wait in the switch's
/// queue like all others, so that two NICs' saves interleave and nobody waits for somebody who holds the slot.
/// <code>
///   save:    NIC_SAVE until the edge answers, a larger buffer when one is asked for ─► NIC_SAVE_COMPLETE ─► the blobs
///   restore: NIC_RESTORE for each blob ─► NIC_RESTORE_COMPLETE ─► who took them
/// </code>
/// A failure ends it: the NIC stays as it was. A save that fails here, and not at its NIC, has left a series open there,
/// which NIC_SAVE_COMPLETE ends before the failure is told.
/// </summary>
/// <param name="Blobs">Save: what was given so far. Restore: what is given back.</param>
public sealed record NicDataTransfer(string MessageId, uint PortId, int NicIndex, bool Restores, ImmutableArray<NicBlob> Blobs)
{
    /// <summary>Saves and restores that one switch runs at a time; the next is answered actor.overloaded.</summary>
    public const int Max = 64;

    /// <summary>Blobs of one NIC; a save that has more fails as nic.save.blobs.</summary>
    public const int BlobsMax = 64;

    /// <summary>Bytes of all blobs of one NIC; a save that has more fails as nic.save.bytes.</summary>
    public const int BytesMax = 256 * 1024;

    /// <summary>NIC_SAVEs that one save issues; more and it fails as nic.save.endless.</summary>
    public const int RoundsMax = 4 * BlobsMax;

    /// <summary>The buffer that a save begins each blob with.</summary>
    public const int CapacityMin = 4096;

    /// <summary>The OID that the transfer waits for.</summary>
    public string? Waiting { get; init; }

    /// <summary>OIDs that it has issued.</summary>
    public int Round { get; init; }

    /// <summary>The buffer of the next NIC_SAVE, where one that is larger than usual was asked for.</summary>
    public int? Capacity { get; init; }

    /// <summary>The NIC has the save's series open.</summary>
    public bool LeftOpen { get; init; }

    /// <summary>Only the COMPLETE is left.</summary>
    public bool Completing { get; init; }

    public bool Over { get; init; }

    /// <summary>Why it failed.</summary>
    public Refusal? Problem { get; init; }

    /// <summary>Restore: who took the blobs that have gone down.</summary>
    public ImmutableArray<TakenBlob> Taken { get => field.IsDefault ? [] : field; init; }

    /// <summary>The next OID.</summary>
    public OidRequest Next()
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{MessageId}:{Round}");
        return (Restores, Last: Completing || (Restores && Taken.Length == Blobs.Length)) switch
        {
            (true, true) => new OidRequest(id, OidCode.NicRestoreComplete, PortId, NicIndex),
            (false, true) => new OidRequest(id, OidCode.NicSaveComplete, PortId, NicIndex),
            (false, false) => new OidRequest(id, OidCode.NicSave, PortId, NicIndex, new NicSaveParameters(Capacity ?? CapacityMin)),
            (true, false) => new OidRequest(id, OidCode.NicRestore, PortId, NicIndex, Parameters(Blobs[Taken.Length])),
        };
    }

    /// <summary>The OID that it waited for is completed.</summary>
    public NicDataTransfer After(OidOutcome outcome, CompletedBy? completed)
    {
        var (oid, status) = (outcome.Oid, outcome.Status);
        var after = this with
        {
            Waiting = null,
            Round = Round + 1,
            Capacity = null,
            // What was refused has failed at the NIC; but a buffer that is too small may come again (S04).
            LeftOpen = !Restores && (outcome.RefusedBy is null || status == NdisStatus.BufferTooShort),
        };
        return oid == OidCode.NicSaveComplete || oid == OidCode.NicRestoreComplete ? after with { Over = true }
            : status is NdisStatus.BufferTooShort or NdisStatus.InvalidLength && outcome.BytesNeeded is { } needed
                ? after.Enlarged(needed, Capacity)
            : status != NdisStatus.Success ? after.Failed(Restores ? "nic.restore.failed" : "nic.save.failed",
                $"{outcome.RefusedBy?.Extension ?? "The stack"} answered {oid} with {status.Name()}.", Restores ? "S12" : "S07")
            : Restores ? after with { Taken = Taken.Add(new TakenBlob(Blobs[Taken.Length].ExtensionId, completed?.Extension)) }
            : completed?.Saved is { } blob ? after.Given(blob)
            : after with { Completing = true };
    }

    /// <summary>The OID was illegal where the NIC is now: disconnected in between, for one.</summary>
    public NicDataTransfer Rejected(Refusal refusal) => this with { Waiting = null, Over = true, Problem = Problem ?? refusal };

    NicDataTransfer Enlarged(int needed, int? had) =>
        needed > PayloadSizes.SaveBufferMax || needed <= (had ?? CapacityMin)
            ? Failed(
                "nic.save.bytes",
                $"An extension asks for a buffer of {needed} bytes after one of {had ?? CapacityMin}; "
                + $"one has at most {PayloadSizes.SaveBufferMax}.", "S04")
        : Round + 1 >= RoundsMax ? Endless()
        : this with { Capacity = needed };

    NicDataTransfer Given(NicBlob blob) =>
        Blobs.Length >= BlobsMax ? Failed("nic.save.blobs", $"A NIC has at most {BlobsMax} blobs.", "switch.md 4.1")
        : Blobs.Sum(Bytes) + Bytes(blob) > BytesMax
            ? Failed("nic.save.bytes", $"The blobs of a NIC have at most {BytesMax} bytes.", "switch.md 4.1")
        : Round + 1 >= RoundsMax ? Endless()
        : this with { Blobs = Blobs.Add(blob) };

    NicDataTransfer Endless() => Failed("nic.save.endless", $"The save has not ended after {RoundsMax} rounds.", "switch.md 4.1");

    NicDataTransfer Failed(string code, string detail, string rule) =>
        this with { Completing = LeftOpen, Over = !LeftOpen, Problem = new Refusal(RefusalKind.Conflict, code, detail, rule, "Connected") };

    /// <summary>The reply when it is over without a problem.</summary>
    public Reply Reply => Restores ? new NicDataRestored(Taken) : new NicDataSaved(Blobs);

    /// <summary>Bytes of the data behind its base64.</summary>
    public static int Bytes(NicBlob blob) => Bytes(blob.Data);

    public static int Bytes(string base64) =>
        base64.Length / 4 * 3 - (base64.EndsWith("==", StringComparison.Ordinal) ? 2 : base64.EndsWith('=') ? 1 : 0);

    /// <summary>What is restored is what can have been saved: SaveDataSize is a USHORT (switch.md 2.1).</summary>
    public static Refusal TooLarge(string field) =>
        new(
            RefusalKind.Unprocessable, "nic.restore.blob", $"A blob has at most {PayloadSizes.BlobMax} bytes.", "switch.md 2.1",
            Field: field);

    static NicRestoreParameters Parameters(NicBlob blob) =>
        new(blob.ExtensionId, blob.Data, blob.ExtensionFriendlyName, blob.FeatureClassId);
}
