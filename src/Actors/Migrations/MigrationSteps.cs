using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Vms;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Migrations;

/// <summary>What each step asks of whom, and what its answer means.</summary>
static class MigrationSteps
{
    /// <summary>Unique for ever within the migration: a leg's number never comes twice.</summary>
    public static string EffectId(string nic, MigrationLeg leg) => string.Create(CultureInfo.InvariantCulture, $"{nic}:{leg.Number}");

    /// <summary>The step waits for a person or a program, not for an answer.</summary>
    public static bool Waits(MigrationStepKind kind) => kind is MigrationStepKind.AwaitPaused or MigrationStepKind.AwaitResumed;

    /// <summary>Nothing changes by it: when the migration turns, nobody need wait for its answer.</summary>
    public static bool Looks(MigrationStepKind kind) =>
        Waits(kind) || kind is MigrationStepKind.CheckHost or MigrationStepKind.CheckNic or MigrationStepKind.CheckSwitch;

    /// <summary>A step that takes something away has taken effect also when it is refused: its object is gone (switch.md 3.5).</summary>
    public static bool TakesAway(MigrationStepKind kind) => kind is MigrationStepKind.NicDisconnect or MigrationStepKind.NicDrain
        or MigrationStepKind.NicDelete or MigrationStepKind.PortTeardown or MigrationStepKind.PortDrain or MigrationStepKind.PortDelete;

    public static Effect.Ask Ask(EntityId id, MigrationRun run, MigrationStep step, string effect)
    {
        var (vm, host) = (id.Parts[0], run.Host(step.Side));
        if (step.Nic.Length == 0)
        {
            return OfGroup(id, step, effect, vm, host);
        }
        var nic = run.Nic(step.Nic);
        var (to, key) = (EntityId.Switch(host, nic.Switch), Names.Key(PortName(vm, nic), Names.PortMax));
        return step.Kind switch
        {
            MigrationStepKind.CheckNic => new Effect.Ask(effect, EntityId.Nic(vm, nic.Name), new ReadAttachment()),
            MigrationStepKind.CheckSwitch => new Effect.Ask(effect, to, new CheckArrival(nic)),
            MigrationStepKind.NicDrain => new Effect.Ask(effect, EntityId.Nic(vm, nic.Name), new AwaitDrain()),
            MigrationStepKind.PortDrain => new Effect.Ask(
                effect, EntityId.Port(host, nic.Switch, Names.Key(PortName(vm, nic, step.Validation), Names.PortMax)), new AwaitDrain()),
            MigrationStepKind.Save => new Effect.Ask(effect, to, new SaveNicData(key, 0)),
            MigrationStepKind.Restore => new Effect.Ask(effect, to, new RestoreNicData(key, 0, run.Legs[nic.Name].Blobs ?? [])),
            MigrationStepKind.Announce => new Effect.Ask(effect, EntityId.Nic(vm, nic.Name), new AnnounceAddress()),
            _ => new Effect.Ask(effect, to, new SubmitOid(Request(vm, run, nic, step, $"{id}>{effect}"), FromPeer: false)),
        };
    }

    static Effect.Ask OfGroup(EntityId id, MigrationStep step, string effect, string vm, string host) => step.Kind switch
    {
        MigrationStepKind.ChangeOwner => new Effect.Ask(
            effect, EntityId.Vm(vm), new ChangeOwner(long.Parse(id.Parts[1], CultureInfo.InvariantCulture), host)),
        MigrationStepKind.ReleaseGuest => new Effect.Ask(effect, EntityId.Bridge(host), new IssueCommand(
            new DriverCommand($"{id}>{effect}", DriverVerb.ReleaseGuest, "", Vm: vm))),
        _ => new Effect.Ask(effect, EntityId.Bridge(host), new CheckHost()),
    };

    static OidRequest Request(string vm, MigrationRun run, NicDefinition nic, MigrationStep step, string requestId)
    {
        var portName = PortName(vm, nic, step.Validation);
        return step.Kind switch
        {
            MigrationStepKind.PortCreate => New(OidCode.PortCreate, new PortParameters(
                portName, portName, nic.Type == NicType.Emulated ? PortType.Emulated : PortType.Synthetic, step.Validation,
                step.Validation ? null : [PortParameters.RestoringPort])),
            MigrationStepKind.PropertyAdd => New(OidCode.PortPropertyAdd, NicProperties.Find(nic, step.Property!)),
            MigrationStepKind.NicCreate => New(OidCode.NicCreate, VmSteps.Nic(vm, nic, run.Epoch)),
            MigrationStepKind.NicConnect => New(OidCode.NicConnect, null),
            MigrationStepKind.ReleaseVf => New(OidCode.NicUpdated, new NicParameters(VmSteps.PortName(vm, nic), nic.Type, vm, VfAssigned: false)),
            MigrationStepKind.NicDisconnect => New(OidCode.NicDisconnect, null),
            MigrationStepKind.NicDelete => New(OidCode.NicDelete, null),
            MigrationStepKind.PortTeardown => New(OidCode.PortTeardown, null),
            MigrationStepKind.PortDelete => New(OidCode.PortDelete, null),
            _ => throw new System.Diagnostics.UnreachableException(step.ToString()),
        };

        OidRequest New(OidCode oid, OidParameters? parameters) => new(requestId, oid, 0, 0, parameters) { PortName = portName };
    }

    static string PortName(string vm, NicDefinition nic, bool validation = false) =>
        VmSteps.PortName(vm, nic) + (validation ? "--validation" : "");

    /// <summary>Why the step is not done; null: it is.</summary>
    public static Refusal? Refused(MigrationRun run, MigrationStep step, AnswerArrived answer) => (answer.Refusal, answer.Reply) switch
    {
        ({ } refusal, _) => refusal,
        (_, OidOutcome outcome) => VmSteps.RefusalOf(outcome),
        (_, CommandDone { Completion: { Status: not NdisStatus.Success } failed }) => new Refusal(
            RefusalKind.Conflict, "migration.host", $"{run.Host(step.Side)} answered {step.Kind} with {failed.Status.Name()}. {failed.Detail}".TrimEnd()),
        (_, AttachmentRead read) => NotConnected(step.Nic, run.Plan.Definition.Host, read),
        _ => null,
    };

    /// <summary>A NIC that moves is connected at the source; null: it is.</summary>
    public static Refusal? NotConnected(string nic, string host, AttachmentRead read) => read.State == "Connected" && read.Host == host
        ? null
        : new Refusal(
            RefusalKind.Conflict, "migration.nic.not-connected",
            $"NIC {nic} is {read.State} {(read.Host is { } there ? $"on {there}" : "on no host")}; a NIC that moves is connected at {host}.",
            "switch.md 4.4", read.State);

    /// <summary>What the answer to a step that succeeded leaves on record.</summary>
    public static MigrationStepDone Done(MigrationStep step, Reply? reply, DateTimeOffset now) => new(step, now)
    {
        Blobs = (reply as NicDataSaved)?.Blobs,
        Taken = (reply as NicDataRestored)?.Blobs,
        VfAssigned = reply is AttachmentRead { VfAssigned: true },
        Epoch = (reply as OwnerChanged)?.Epoch ?? 0,
    };
}
