namespace ControlPlane.Messages;

/// <summary>What one extension saved of one NIC in one round (switch.md 4.1): opaque to everybody else.</summary>
/// <param name="ExtensionId">Whose it is: the GUID that a restore finds it by.</param>
/// <param name="Data">Base64.</param>
public sealed record NicBlob(string ExtensionId, string ExtensionFriendlyName, string Data, string? FeatureClassId = null);

/// <summary>Runs the whole save of a NIC: NIC_SAVE until the edge answers, then NIC_SAVE_COMPLETE. Answered by <see cref="NicDataSaved"/>.</summary>
/// <param name="Port">The port's name in key form.</param>
public sealed record SaveNicData(string Port, int NicIndex) : Command;

/// <summary>Gives a NIC back what was saved: one NIC_RESTORE for each blob, then NIC_RESTORE_COMPLETE. Answered by <see cref="NicDataRestored"/>.</summary>
public sealed record RestoreNicData(string Port, int NicIndex, IReadOnlyList<NicBlob> Blobs) : Command;

/// <summary>Everything that the extensions had to save, in the order in which they gave it.</summary>
public sealed record NicDataSaved(IReadOnlyList<NicBlob> Blobs) : Reply;

/// <summary>Who took each blob, in the blobs' order.</summary>
public sealed record NicDataRestored(IReadOnlyList<TakenBlob> Blobs) : Reply;

/// <param name="Owner">Null: an orphan; no extension here knows the data (S11).</param>
public sealed record TakenBlob(string ExtensionId, string? Owner);

/// <summary>The save or restore of a NIC has begun.</summary>
/// <param name="Blobs">What is restored; null: it is a save.</param>
public sealed record NicDataTransferStarted(string MessageId, uint PortId, int NicIndex, IReadOnlyList<NicBlob>? Blobs) : SwitchEvent;

/// <summary>The save or restore is over.</summary>
public sealed record NicDataTransferEnded(string MessageId, Refusal? Refusal) : SwitchEvent, IOnBehalf;

/// <summary>One extension gave its data for a NIC.</summary>
/// <param name="Extension">"class/name".</param>
public sealed record SaveRound(string RequestId, uint PortId, int NicIndex, string ExtensionId, string Extension, int Bytes) : SwitchEvent;

/// <summary>A NIC_SAVE was answered with an error: the save has failed, the NIC goes on as it was (S07).</summary>
public sealed record SaveFailed(string RequestId, uint PortId, int NicIndex, RefusedBy? By, NdisStatus Status) : SwitchEvent;

public sealed record SaveCompleted(string RequestId, uint PortId, int NicIndex) : SwitchEvent;

/// <summary>One blob went down the stack.</summary>
/// <param name="Owner">Null: it reached the edge, an orphan (switch.md 8.23).</param>
public sealed record RestoreRound(string RequestId, uint PortId, int NicIndex, string ExtensionId, string? Owner) : SwitchEvent;

public sealed record RestoreCompleted(string RequestId, uint PortId, int NicIndex) : SwitchEvent;

/// <summary>A blob was not taken by its owner: the whole restore has failed (S12).</summary>
public sealed record RestoreFailed(string RequestId, uint PortId, int NicIndex, string ExtensionId, NdisStatus Status) : SwitchEvent;
