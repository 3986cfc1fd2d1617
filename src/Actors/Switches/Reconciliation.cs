using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Serialization;
using ControlPlane.Actors.Entities;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>A port, NIC or VM that still has to be told that its host has lost what it had.</summary>
/// <param name="PortId">The port that is meant: another one may have its name by the time of the answer.</param>
/// <param name="NicIndex">Null: the port itself, or a VM.</param>
/// <param name="Epoch">The VM's start that the NIC belonged to, or 0.</param>
public sealed record SwitchLoss(uint PortId, int? NicIndex, long Session, string Reason, long Epoch)
{
    /// <summary>Of a VM: names of its NICs that were lost.</summary>
    public ImmutableArray<string> Nics { get => field.IsDefault ? [] : field; init; }

    /// <summary>It is a VM's.</summary>
    [JsonIgnore]
    public bool OfVm => !Nics.IsEmpty;
}

/// <summary>
/// The host's snapshot, compared with what the switch knows (switch.md 9.5). In the same boot a device that is missing
/// is drift: its NIC is told, and the policy repairs it or not. In another boot, what is not listed has ended: each
/// object is asked to end and says whether it did, since one that a command of this session has made is newer than the
/// snapshot. OIDs that wait go on when all have answered, so that none meets half of a loss.
/// </summary>
static class Reconciliation
{
    /// <summary>Each NIC with a device gets the snapshot's line about it, or "absent"; a missing switch is made again.</summary>
    public static SwitchState.Here Started(SwitchState.Here s, SwitchReconcileStarted e)
    {
        var source = $"snapshot:{e.Session}";
        var reports = ImmutableSortedDictionary.CreateBuilder<EntityId, ReportDevice>();
        var losses = s.Losses.ToBuilder();
        var present = e.Devices.Where(device => device.Present).ToLookup(device => (device.NicKey, device.Port));
        foreach (var port in s.Ports.Values)
        {
            var listed = false;
            foreach (var (index, nic) in port.Nics)
            {
                var device = present[(nic.Id.Text, port.Name)].FirstOrDefault();
                listed |= device is not null;
                if (e.Lost is not null && device is null)
                {
                    losses[nic.Id] = new SwitchLoss(port.PortId, index, e.Session, e.Lost, nic.VmEpoch);
                }
                else if (nic.Type != NicType.External) // an external adapter has no device of ours (see NicLifecycle.HasDevice)
                {
                    var seen = device ?? Missing(s, nic.Id, port.Name);
                    reports[nic.Id] = new ReportDevice(source, true, seen, e.Session, s.Id.Parts[0], e.At);
                }
            }
            if (e.Lost is not null && !listed)
            {
                losses[port.Id] = new SwitchLoss(port.PortId, null, e.LostIn ?? e.Session, e.Lost, 0);
            }
        }
        if (e.Lost is not null && s.Slot is { } slot && slot.Port != s.Id)
        {
            // What is being created is not in the picture yet.
            Being(slot.Nic, slot.Request.NicIndex);
            Being(s.Ports.ContainsKey(slot.Request.PortId) ? null : slot.Port, null);

            void Being(EntityId? made, int? index)
            {
                // One that waits since an earlier loss is lost by this one at the latest.
                var session = index is null ? e.LostIn ?? e.Session : e.Session;
                if (made is { } id && !e.Devices.Any(device => device.Present && device.NicKey == id.Text) && !reports.ContainsKey(id)
                    && losses.GetValueOrDefault(id)?.Session != session)
                {
                    var epoch = index is null ? 0 : (slot.Request.Parameters as NicParameters)?.Epoch ?? 0;
                    losses[id] = new SwitchLoss(slot.Request.PortId, index, session, e.Lost, epoch);
                }
            }
        }
        foreach (var (nic, device) in e.Lost == HostLoss.Removed ? [] : Discovery.ToAsk(s, e.Devices))
        {
            reports[nic] = new ReportDevice(source, true, device, e.Session, s.Id.Parts[0], e.At);
        }
        s = s with
        {
            NotRecorded = 0,
            SnapshotAt = e.At ?? s.SnapshotAt,
            Reports = reports.ToImmutable(),
            Losses = losses.ToImmutable(),
            Lost = e.Lost is null ? s.Lost : 0,
            Gone = e.Lost == HostLoss.Removed,
        };
        return s.Gone || (e.Present && s.Stage != SwitchStage.Failed) || s.Stage == SwitchStage.Deleting
            ? s
            : s with { Stage = SwitchStage.Preparing, Preparations = s.Preparations + 1 };
    }

    /// <summary>What the snapshot of a removed host says ends the switch too: at once, if nothing is on it.</summary>
    public static Decision<SwitchEvent> Begin(SwitchState.Here s, ReconcileSwitch told)
    {
        var started = new SwitchReconcileStarted(told.Session, told.Present, told.Devices)
        {
            Lost = told.Lost,
            At = told.At,
            LostIn = told.LostIn,
        };
        var after = Started(s, started);
        var discovered = Discovery.InSnapshot(after, started);
        return Ended(discovered.Aggregate(after, Discovery.Evolve), [started, .. discovered], new Done());
    }

    /// <summary>A NIC has taken its line, or does not know the device.</summary>
    public static Decision<SwitchEvent> Reported(SwitchState.Here s, EntityId nic, ReportDevice report, AnswerArrived answer) =>
        Decision<SwitchEvent>.Accept(
            [.. answer.Reply is NotAttached { Absent: var absent } ? Discovery.Seen(s, report.Device, absent, report.Source) : [],
                new SwitchReconciled(nic)], null, []);

    public static SwitchLoss? LossOf(SwitchState.Here s, string effectId, out EntityId about)
    {
        var (id, loss) = s.Losses.FirstOrDefault(pair => EffectId(pair.Key, pair.Value) == effectId);
        about = id;
        return loss;
    }

    /// <summary>A port or NIC has said whether it ended, or a VM that it heard.</summary>
    public static Decision<SwitchEvent> Answered(
        SwitchState.Here s, EntityId about, SwitchLoss loss, AnswerArrived answer, DateTimeOffset now)
    {
        SwitchEvent happened = answer.Reply is ObjectLost { Lost: true }
            ? new SwitchObjectLost(about, loss.PortId, loss.NicIndex, loss.Reason) { VmEpoch = loss.Epoch }
            : new SwitchLossSettled(about);
        var after = (SwitchState.Here)SwitchLifecycle.Evolve(s, happened);
        return s.Gone ? Ended(after, [happened], null) : OidLane.Advance(s, [happened], [], now);
    }

    /// <summary>The last of a removed host's objects has ended: so does the switch, and who waits for it is told.</summary>
    static Decision<SwitchEvent> Ended(SwitchState.Here after, ImmutableArray<SwitchEvent> events, Reply? reply)
    {
        if (!after.Gone || !after.Losses.IsEmpty)
        {
            return Decision<SwitchEvent>.Accept(events, reply, []);
        }
        var refusal = HostLoss.Refusal(after.Id.Parts[0], HostLoss.Removed);
        string?[] waiting =
        [
            after.DeleteMessageId, after.Adapter?.DeleteMessageId, after.Slot?.MessageId, .. after.Queue.Select(queued => queued.MessageId),
            .. after.Errands.Keys, .. after.Transfers.Keys,
        ];
        return Decision<SwitchEvent>.Accept(
            [.. events, .. Rejections.All(after), new SwitchLost(HostLoss.Removed)], reply,
            [.. waiting.OfType<string>().Distinct().Select(message => new LateAnswer(message, null, refusal))]);
    }

    public static SwitchState.Here Evolve(SwitchState.Here s, SwitchEvent happened) => happened switch
    {
        SwitchReconcileStarted e => Started(s, e),
        SwitchReconciled e => s with { Reports = s.Reports.Remove(e.Nic) },
        SwitchLossSettled e => Settled(s, e),
        SwitchObjectLost e => Dropped(s, e),
        _ => throw new UnreachableException(happened.ToString()),
    };

    /// <summary>A NIC that is there has its port with it.</summary>
    static SwitchState.Here Settled(SwitchState.Here s, SwitchLossSettled e)
    {
        var loss = s.Losses[e.Object];
        var losses = s.Losses.Remove(e.Object);
        return s with
        {
            Losses = loss.NicIndex is null
                ? losses
                : losses.RemoveRange(
                    losses.Where(pair => pair.Value is { NicIndex: null, OfVm: false } port && port.PortId == loss.PortId)
                        .Select(pair => pair.Key)),
        };
    }

    static SwitchState.Here Dropped(SwitchState.Here s, SwitchObjectLost e)
    {
        var losses = s.Losses;
        var loss = losses[e.Object];
        losses = losses.Remove(e.Object);
        if (e is { VmEpoch: > 0, NicIndex: not null } && e.Object.Parts is [var vm, var nicName])
        {
            var told = losses.GetValueOrDefault(EntityId.Vm(vm)) is { } before && before.Epoch == e.VmEpoch ? before.Nics : [];
            losses = losses.SetItem(EntityId.Vm(vm), loss with { NicIndex = null, Epoch = e.VmEpoch, Nics = told.Add(nicName) });
        }
        s = s with { Losses = losses, Lost = s.Lost + 1 };
        if (!s.Ports.TryGetValue(e.PortId, out var port))
        {
            return s;
        }
        if (e.NicIndex is not { } index)
        {
            s = Forgotten(
                s, port.Nics.Values.Select(nic => nic.Id).Append(port.Id), port.Nics.Keys.Select(at => StackView.ForNic(e.PortId, at)));
            return s with { Ports = s.Ports.Remove(e.PortId) };
        }
        if (port.Nics.GetValueOrDefault(index)?.Id != e.Object)
        {
            return s;
        }
        s = Forgotten(s, [e.Object], [StackView.ForNic(e.PortId, index)]);
        return s with { Ports = s.Ports.SetItem(e.PortId, port with { Nics = port.Nics.Remove(index) }) };
    }

    /// <summary>Nobody holds what has ended, and nothing is kept for it.</summary>
    static SwitchState.Here Forgotten(SwitchState.Here s, IEnumerable<EntityId> ended, IEnumerable<string> scopes)
    {
        var gone = ended.ToHashSet();
        return scopes.Aggregate(
            s with { Holds = s.Holds.RemoveRange(s.Holds.Where(pair => gone.Contains(pair.Value)).Select(pair => pair.Key)) },
            SwitchRules.Forgotten);
    }

    public static IEnumerable<Effect> Outstanding(SwitchState.Here s)
    {
        var nicsOf = s.Losses.Values.Where(loss => loss.NicIndex is not null).Select(loss => loss.PortId).ToHashSet();
        var objects = s.Losses.Values.Any(loss => !loss.OfVm);
        // An OID that is with its port or NIC ends first: what it makes in this session is not lost.
        foreach (var (id, loss) in s.Slot is { Verdict.Pause: null } slot && slot.Port != s.Id ? s.Losses.Clear() : s.Losses)
        {
            // A port ends after the NICs on it, and a VM is told after all of them.
            var first = loss.OfVm ? objects
                : loss.NicIndex is null && nicsOf.Contains(loss.PortId);
            if (!first)
            {
                yield return new Effect.Ask(EffectId(id, loss), id, loss.OfVm
                    ? new LoseVm(s.Id.Parts[0], loss.Epoch, loss.Reason, [.. loss.Nics.Where(nic => !HasPort(s, id.Parts[0], nic))])
                    : new LoseObject(s.Id, loss.Session, loss.Reason));
            }
        }
        // A repair needs the switch: nobody hears of a missing device while the switch itself is being made again.
        foreach (var (nic, report) in s.Stage == SwitchStage.Preparing ? s.Reports.Clear() : s.Reports)
        {
            yield return new Effect.Ask(ReportEffect(nic, report), nic, report);
        }
    }

    /// <summary>The NIC is lost and its port is not: it was made in this session, and the VM takes it down.</summary>
    static bool HasPort(SwitchState.Here s, string vm, string nic) =>
        Names.PortOf(vm, nic) is var name && s.Ports.Values.Any(port => port.Name == name);

    public static string ReportEffect(EntityId nic, ReportDevice report) => $"report:{report.Source}:{nic}";

    static string EffectId(EntityId about, SwitchLoss loss) =>
        string.Create(CultureInfo.InvariantCulture, $"lose:{loss.Session}:{about}:{loss.PortId}:{loss.Epoch}");

    static DeviceState Missing(SwitchState.Here s, EntityId nic, string port) =>
        new(nic.Text, s.Id.Parts[1], port, "", false, false, false, 0, 0);
}
