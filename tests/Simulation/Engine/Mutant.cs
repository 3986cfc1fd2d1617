namespace ControlPlane.Simulation;

/// <summary>
/// One deliberate defect, to show that the simulation would find it. All of them are in the simulation's own shell, its
/// models, or wrapped around a lifecycle: the product has no such switch.
/// </summary>
public enum Mutant
{
    None = 0,
    /// <summary>The journal takes a second row at the same place.</summary>
    UniqueKeyIgnored,
    /// <summary>A write of unknown outcome is taken for one that was not attempted.</summary>
    UnknownIsRejected,
    /// <summary>A write of unknown outcome is taken for stored.</summary>
    UnknownIsStored,
    /// <summary>The record of executed messages is not asked.</summary>
    MessageIdIgnored,
    /// <summary>The cursor moves although what the frames say is not stored.</summary>
    CursorBeforeEffects,
    /// <summary>A gap in the frames is not noticed.</summary>
    GapIgnored,
    /// <summary>Frames of an older stream are taken for those of the newest.</summary>
    LowerStreamEpochAccepted,
    /// <summary>A command that a newer one for its NIC has overtaken is handed to the host all the same.</summary>
    OvertakenHandedOut,
    /// <summary>A NIC that is connected when its NIC_DELETE comes counts as gone.</summary>
    ConnectedTakenForGone,
    /// <summary>What waits behind a write has no bound.</summary>
    UnboundedMailbox,
    /// <summary>Answers and messages go out before the write is stored.</summary>
    SpeakBeforeStore,
    /// <summary>A delete goes through while something is held.</summary>
    DrainGateIgnored,
    /// <summary>A refused start is undone oldest first.</summary>
    UndoOldestFirst,
    /// <summary>What is owed is not asked for again.</summary>
    NothingAskedAgain,
    /// <summary>An incarnation that was fenced goes on as if its write were stored.</summary>
    StaleIncarnationBelieved,
    /// <summary>The destination may open while the source is open (migration.md M2).</summary>
    SourceLeftOpen,
    /// <summary>The destination may open before the change of the owner is stored (migration.md M3).</summary>
    OpenedBeforeOwned,
    /// <summary>A migration is aborted after the owner has changed (migration.md M4).</summary>
    AbortedAfterOwned,
    /// <summary>The owner changes under the same epoch (migration.md M5, M10).</summary>
    EpochNotRaised,
    /// <summary>The journal gives each write the next place, whoever else has written meanwhile.</summary>
    PlaceGivenByJournal,
    /// <summary>A node that is cut from the journal never ends.</summary>
    CutNodeStays,
    /// <summary>One word of a peer that has the journal ends a node that has not.</summary>
    OneWordBelieved,
    /// <summary>A node that stood still for longer than its peers wait goes on.</summary>
    WokenNodeGoesOn,
    /// <summary>A node takes what it hears last for what is newest.</summary>
    OldHomeBelieved,
    /// <summary>No defect: an invariant that never holds, to see that a run can fail at all.</summary>
    Canary,
}
