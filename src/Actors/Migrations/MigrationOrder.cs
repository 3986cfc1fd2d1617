using System.Collections.Immutable;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Migrations;

/// <summary>Where a row leads when a step of it fails, takes too long, or the migration is cancelled in it.</summary>
enum MigrationExit
{
    /// <summary>R-a: the source goes on, the destination is removed.</summary>
    Abort,
    /// <summary>R-b, R-c: the source gets back what it had.</summary>
    Return,
    /// <summary>On, without what failed.</summary>
    GoOn,
    /// <summary>It waits; an operator is told.</summary>
    Alarm,
    /// <summary>Cancel: the commit point is passed.</summary>
    Refuse,
}

/// <summary>How one stage is reached: what each NIC does for it, then the group; all of it is done before the next row begins.</summary>
/// <param name="Within">How long it may take; null: as long as the whole migration may.</param>
sealed record MigrationRow(
    MigrationStage From, MigrationStage To, Func<NicDefinition, MigrationLeg, IEnumerable<MigrationStep>> Nic,
    Func<MigrationPlan, IEnumerable<MigrationStep>> Group, MigrationExit Fails, MigrationExit Cancel, TimeSpan? Within, MigrationExit Late);

/// <summary>
/// The order table of mode strict (switch.md 4.4, migration.md c.2): the stages, and who does what for each.
/// <code>
///   stage                what is done for it                                                    fails    cancel
///   Checked              hosts online; NIC connected; switch of that name, features (4.6)       abort    abort
///   Validated            destination: validation port, policies, removed again     (2, 3)       abort    abort
///   Reserved             (the VM took no other work since it stored the request)                abort    abort
///   DestPrepared         destination: PORT_CREATE, policies                        (4, 5)       abort    abort
///   DestReady, Copying   (in this mode there is no device to read back yet)                     abort    abort
///   SwitchoverArmed      guest paused, if somebody says so                                      abort    abort
///   SourceSaved          source: NIC_SAVE loop                                     (6)          abort    abort
///   SourceQuiesced       source: NIC_DISCONNECT, drain, NIC_DELETE, PORT_…         (7)          go on    return
///   OwnershipCommitted   the VM's append: destination, epoch + 1                                return   refused
///   DestActivated        destination: NIC_CREATE, NIC_CONNECT, NIC_RESTORE loop    (8, 9)       return   refused
///   DestRunning          guest resumed, if somebody says so: the VM is online      (10)         return   refused
///   Propagated           destination: the address is announced                                  go on    refused
///   SourceCleaned        source: what is left of the guest                                      go on    refused
/// </code>
/// A step 7 that is refused has nothing left to close: the NIC is gone, or its host came up without it; that is the proof
/// which step 8 needs (F4). One that is not answered keeps step 8 waiting as long as it takes (M16).
/// </summary>
static class MigrationOrder
{
    /// <summary>A step at one host, a validation port, a restore: all within this, or the row's late exit is taken (migration.md c.2, M4).</summary>
    static readonly TimeSpan Short = TimeSpan.FromSeconds(30);

    /// <summary>From the opened gates to the guest's own word (migration.md c.2, M10).</summary>
    static readonly TimeSpan Resume = TimeSpan.FromSeconds(5);

    /// <summary>A part of a way back that takes longer is reported: it may not be given up.</summary>
    public static readonly TimeSpan ReturnWithin = Short;

    public static readonly ImmutableArray<MigrationRow> Strict =
    [
        new(MigrationStage.Requested, MigrationStage.Checked, Check, plan => Hosts, MigrationExit.Abort, MigrationExit.Abort, Short, MigrationExit.Abort),
        new(MigrationStage.Checked, MigrationStage.Validated, Validate, NoGroup, MigrationExit.Abort, MigrationExit.Abort, Short, MigrationExit.Abort),
        new(MigrationStage.Validated, MigrationStage.Reserved, NoNic, NoGroup, MigrationExit.Abort, MigrationExit.Abort, null, MigrationExit.Abort),
        new(MigrationStage.Reserved, MigrationStage.DestPrepared, Prepare, NoGroup, MigrationExit.Abort, MigrationExit.Abort, Short, MigrationExit.Abort),
        new(MigrationStage.DestPrepared, MigrationStage.DestReady, NoNic, NoGroup, MigrationExit.Abort, MigrationExit.Abort, null, MigrationExit.Abort),
        new(MigrationStage.DestReady, MigrationStage.Copying, NoNic, NoGroup, MigrationExit.Abort, MigrationExit.Abort, null, MigrationExit.Abort),
        new(MigrationStage.Copying, MigrationStage.SwitchoverArmed, NoNic, Paused, MigrationExit.Abort, MigrationExit.Abort, null, MigrationExit.Abort),
        new(MigrationStage.SwitchoverArmed, MigrationStage.SourceSaved, Save, NoGroup, MigrationExit.Abort, MigrationExit.Abort, Short, MigrationExit.Abort),
        new(MigrationStage.SourceSaved, MigrationStage.SourceQuiesced, Quiesce, NoGroup, MigrationExit.GoOn, MigrationExit.Return, Short, MigrationExit.Alarm),
        new(MigrationStage.SourceQuiesced, MigrationStage.OwnershipCommitted, NoNic, plan => [Of(MigrationStepKind.ChangeOwner, MigrationSide.Destination)],
            MigrationExit.Return, MigrationExit.Refuse, Short, MigrationExit.Alarm),
        new(MigrationStage.OwnershipCommitted, MigrationStage.DestActivated, Activate, NoGroup, MigrationExit.Return, MigrationExit.Refuse, Short, MigrationExit.Return),
        new(MigrationStage.DestActivated, MigrationStage.DestRunning, NoNic, Resumed, MigrationExit.Return, MigrationExit.Refuse, Resume, MigrationExit.Return),
        new(MigrationStage.DestRunning, MigrationStage.Propagated, Propagate, NoGroup, MigrationExit.GoOn, MigrationExit.Refuse, Short, MigrationExit.GoOn),
        new(MigrationStage.Propagated, MigrationStage.SourceCleaned, NoNic, plan => [Of(MigrationStepKind.ReleaseGuest, MigrationSide.Source)],
            MigrationExit.GoOn, MigrationExit.Refuse, null, MigrationExit.GoOn),
        new(MigrationStage.SourceCleaned, MigrationStage.Completed, NoNic, NoGroup, MigrationExit.GoOn, MigrationExit.Refuse, null, MigrationExit.GoOn),
    ];

    public static MigrationRow After(MigrationStage stage) => Strict.First(row => row.From == stage);

    /// <summary>From here on the source has given something up.</summary>
    public static bool SourceTouched(MigrationRun run) => run.Stage >= MigrationStage.SourceSaved;

    static IEnumerable<MigrationStep> Hosts =>
        [Of(MigrationStepKind.CheckHost, MigrationSide.Destination), Of(MigrationStepKind.CheckHost, MigrationSide.Source)];

    static IEnumerable<MigrationStep> Check(NicDefinition nic, MigrationLeg leg) =>
        [Source(MigrationStepKind.CheckNic, nic), Destination(MigrationStepKind.CheckSwitch, nic)];

    static IEnumerable<MigrationStep> Validate(NicDefinition nic, MigrationLeg leg) =>
    [
        .. Port(nic, MigrationSide.Destination, validation: true),
        Destination(MigrationStepKind.PortTeardown, nic) with { Validation = true },
        Destination(MigrationStepKind.PortDelete, nic) with { Validation = true },
    ];

    static IEnumerable<MigrationStep> Prepare(NicDefinition nic, MigrationLeg leg) => Port(nic, MigrationSide.Destination);

    static IEnumerable<MigrationStep> Save(NicDefinition nic, MigrationLeg leg) =>
        [Source(MigrationStepKind.CheckNic, nic), Source(MigrationStepKind.Save, nic)];

    static IEnumerable<MigrationStep> Quiesce(NicDefinition nic, MigrationLeg leg) =>
    [
        .. leg.VfAssigned ? [Source(MigrationStepKind.ReleaseVf, nic)] : Array.Empty<MigrationStep>(),
        Source(MigrationStepKind.NicDisconnect, nic),
        Source(MigrationStepKind.NicDrain, nic),
        Source(MigrationStepKind.NicDelete, nic),
        Source(MigrationStepKind.PortTeardown, nic),
        Source(MigrationStepKind.PortDrain, nic),
        Source(MigrationStepKind.PortDelete, nic),
    ];

    static IEnumerable<MigrationStep> Activate(NicDefinition nic, MigrationLeg leg) => Nic(nic, MigrationSide.Destination);

    static IEnumerable<MigrationStep> Propagate(NicDefinition nic, MigrationLeg leg) => [Destination(MigrationStepKind.Announce, nic)];

    static IEnumerable<MigrationStep> Paused(MigrationPlan plan) =>
        plan.Guest == GuestMover.External ? [Of(MigrationStepKind.AwaitPaused, MigrationSide.Source)] : [];

    static IEnumerable<MigrationStep> Resumed(MigrationPlan plan) =>
        plan.Guest == GuestMover.External ? [Of(MigrationStepKind.AwaitResumed, MigrationSide.Destination)] : [];

    static IEnumerable<MigrationStep> NoNic(NicDefinition nic, MigrationLeg leg) => [];

    static IEnumerable<MigrationStep> NoGroup(MigrationPlan plan) => [];

    /// <summary>The first part of a way back: both sides are closed. A ladder down that was begun at the source is finished there.</summary>
    public static IEnumerable<MigrationStep> Close(NicDefinition nic, MigrationLeg leg)
    {
        if (leg.Did(MigrationStepKind.NicConnect, MigrationSide.Destination))
        {
            yield return Destination(MigrationStepKind.NicDisconnect, nic);
            yield return Destination(MigrationStepKind.NicDrain, nic);
        }
        if (leg.Did(MigrationStepKind.NicCreate, MigrationSide.Destination))
        {
            yield return Destination(MigrationStepKind.NicDelete, nic);
        }
        if (leg.Did(MigrationStepKind.NicDisconnect, MigrationSide.Source) && !leg.Did(MigrationStepKind.NicDelete, MigrationSide.Source))
        {
            yield return Source(MigrationStepKind.NicDrain, nic);
            yield return Source(MigrationStepKind.NicDelete, nic);
        }
        if (leg.Did(MigrationStepKind.PortTeardown, MigrationSide.Source) && !leg.Did(MigrationStepKind.PortDelete, MigrationSide.Source))
        {
            yield return Source(MigrationStepKind.PortDrain, nic);
            yield return Source(MigrationStepKind.PortDelete, nic);
        }
    }

    /// <summary>What the source has lost of this NIC, made again, with its saved data.</summary>
    public static IEnumerable<MigrationStep> Rebuild(NicDefinition nic, MigrationLeg leg) =>
    [
        .. leg.Did(MigrationStepKind.PortDelete, MigrationSide.Source) ? Port(nic, MigrationSide.Source) : [],
        .. leg.Did(MigrationStepKind.NicDelete, MigrationSide.Source) ? Nic(nic, MigrationSide.Source) : [],
    ];

    /// <summary>What is left at the destination when it has no NIC of the VM.</summary>
    public static IEnumerable<MigrationStep> Remove(NicDefinition nic, MigrationLeg leg)
    {
        foreach (var validation in (bool[])[true, false])
        {
            if (leg.Did(MigrationStepKind.PortCreate, MigrationSide.Destination, validation)
                && !leg.Did(MigrationStepKind.PortDelete, MigrationSide.Destination, validation))
            {
                yield return Destination(MigrationStepKind.PortTeardown, nic) with { Validation = validation };
                yield return Destination(MigrationStepKind.PortDrain, nic) with { Validation = validation };
                yield return Destination(MigrationStepKind.PortDelete, nic) with { Validation = validation };
            }
        }
    }

    static IEnumerable<MigrationStep> Port(NicDefinition nic, MigrationSide side, bool validation = false) =>
    [
        new MigrationStep(MigrationStepKind.PortCreate, side, nic.Name, Validation: validation),
        .. NicProperties.Of(nic).Select(property =>
            new MigrationStep(MigrationStepKind.PropertyAdd, side, nic.Name, property.Key, validation)),
    ];

    static IEnumerable<MigrationStep> Nic(NicDefinition nic, MigrationSide side) =>
    [
        new MigrationStep(MigrationStepKind.NicCreate, side, nic.Name),
        new MigrationStep(MigrationStepKind.NicConnect, side, nic.Name),
        new MigrationStep(MigrationStepKind.Restore, side, nic.Name),
    ];

    static MigrationStep Source(MigrationStepKind kind, NicDefinition nic) => new(kind, MigrationSide.Source, nic.Name);

    static MigrationStep Destination(MigrationStepKind kind, NicDefinition nic) => new(kind, MigrationSide.Destination, nic.Name);

    static MigrationStep Of(MigrationStepKind kind, MigrationSide side) => new(kind, side, MigrationRun.Group);
}
