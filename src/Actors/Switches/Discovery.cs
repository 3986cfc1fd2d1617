using System.Collections.Immutable;
using System.Diagnostics;
using System.Globalization;
using ControlPlane.Actors.Entities;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>A device on the switch that no NIC of ours knows, as the host lists it.</summary>
/// <param name="LeftOver">It is ours by its alias, and its NIC is on no port.</param>
/// <param name="Removal">Names the command that removes it; 0: none does.</param>
/// <param name="Problem">Why it could not be removed.</param>
public sealed record DiscoveredDevice(DeviceState Device, bool LeftOver, string Source, long Removal = 0, string? Problem = null);

/// <summary>
/// Devices that nobody of ours made, or that were left over (switch.md 9.5.2, 9.5.5): recorded in the state in which they
/// are listed, never taken for connected, never created after the fact. One that is ours by its alias and whose NIC is on
/// no port is removed under the switch's repair policy, with a command of the epoch that it was made in: a NIC that was
/// created since has a higher one, and the host refuses the lower.
/// </summary>
static class Discovery
{
    /// <summary>Devices that a switch records; the next ones are counted (DiscoveryLimited), and an alarm says so.</summary>
    public const int Max = 256;

    /// <summary>What the snapshot says of devices that are nobody's; those with a NIC's alias are asked for at their NIC.</summary>
    public static ImmutableArray<SwitchEvent> InSnapshot(SwitchState.Here s, SwitchReconcileStarted e)
    {
        var listed = e.Devices.Where(device => device.Present).Select(device => device.Device).ToHashSet(StringComparer.Ordinal);
        var events = s.Discovered.Keys.Where(device => !listed.Contains(device)).Select(device => (SwitchEvent)new DiscoveredGone(device))
            .ToList();
        var (state, ports) = (events.Aggregate(s, Evolve), PortsOf(s));
        foreach (var device in e.Devices.Where(
            device => device.Present && (NicOf(device) is not { } nic || OnAnotherPort(ports[nic], device))))
        {
            foreach (var happened in Seen(state, device, leftOver: false, $"snapshot:{e.Session}"))
            {
                events.Add(happened);
                state = Evolve(state, happened);
            }
        }
        return [.. events];
    }

    /// <summary>NICs that have to say whether a listed device is theirs, besides those of the switch's own picture.</summary>
    public static IEnumerable<(EntityId Nic, DeviceState Device)> ToAsk(SwitchState.Here s, IReadOnlyList<DeviceState> devices)
    {
        var ports = PortsOf(s);
        return from device in devices
               where device.Present && NicOf(device) is { } nic && !ports.Contains(nic)
               select (NicOf(device)!.Value, device);
    }

    /// <summary>A device was looked at: it is new, changed, gone, or as it was.</summary>
    public static ImmutableArray<SwitchEvent> Seen(SwitchState.Here s, DeviceState device, bool leftOver, string source)
    {
        var known = s.Discovered.GetValueOrDefault(device.Device);
        if (!device.Present || (NicOf(device) is null && !device.Enslaved))
        {
            return known is null ? [] : [new DiscoveredGone(device.Device)];
        }
        return known is not null && known.Device == device && known.LeftOver == leftOver && known.Problem is null ? []
            : known is null && s.Discovered.Count >= Max ? [new DiscoveryLimited(device.Device)]
            : [new DeviceDiscovered(device, leftOver, source)];
    }

    public static Decision<SwitchEvent> Report(SwitchState.Here s, ReportStranger report) =>
        Decision<SwitchEvent>.Accept(
            report.At <= s.SnapshotAt ? [] : Seen(s, report.Device, report.LeftOver, report.Source), new Done(), []);

    /// <summary>The host's answer to the removal of what was left over.</summary>
    public static Decision<SwitchEvent>? Removed(SwitchState.Here s, AnswerArrived answer)
    {
        if (s.Discovered.Values.FirstOrDefault(device => device.Removal > 0 && RemovalEffect(device) == answer.EffectId) is not { } device)
        {
            return null;
        }
        return answer.Reply is CommandDone { Completion: { Status: NdisStatus.Success } }
            ? Decision<SwitchEvent>.Accept(null, new DiscoveredGone(device.Device.Device, Removed: true))
            : Decision<SwitchEvent>.Accept(null, new LeftOverNotRemoved(
                device.Device.Device, (answer.Reply as CommandDone)?.Completion.Status ?? NdisStatus.Failure,
                (answer.Reply as CommandDone)?.Completion.Detail ?? answer.Refusal?.Detail));
    }

    public static SwitchState.Here Evolve(SwitchState.Here s, SwitchEvent happened) => happened switch
    {
        DeviceDiscovered e =>
            Removing(s with { Discovered = s.Discovered.SetItem(e.Device.Device, new DiscoveredDevice(e.Device, e.LeftOver, e.Source)) }),
        DiscoveredGone e => s with { Discovered = s.Discovered.Remove(e.Device) },
        DiscoveryLimited => s with { NotRecorded = s.NotRecorded + 1 },
        LeftOverNotRemoved e => s with
        {
            Discovered = s.Discovered.SetItem(
                e.Device, s.Discovered[e.Device] with { Removal = 0, Problem = $"{e.Status.Name()} {e.Detail}".TrimEnd() }),
        },
        _ => throw new UnreachableException(happened.ToString()),
    };

    /// <summary>Under the repair policy what is left over goes; what the host would not remove waits for its next snapshot.</summary>
    public static SwitchState.Here Removing(SwitchState.Here s)
    {
        foreach (var (name, device) in s.Definition.Drift == DriftPolicy.Repair ? s.Discovered : s.Discovered.Clear())
        {
            if (device is { LeftOver: true, Removal: 0, Problem: null, Device.Epoch: > 0 })
            {
                s = s with { Removals = s.Removals + 1, Discovered = s.Discovered.SetItem(name, device with { Removal = s.Removals + 1 }) };
            }
        }
        return s;
    }

    /// <summary>NIC_CREATE has taken the device over.</summary>
    public static SwitchState.Here Adopted(SwitchState.Here s, EntityId nic) => s with
    {
        Discovered = s.Discovered.RemoveRange(s.Discovered.Where(pair => pair.Value.Device.NicKey == nic.Text).Select(pair => pair.Key)),
    };

    public static IEnumerable<Effect> Outstanding(SwitchState.Here s)
    {
        foreach (var device in s.Discovered.Values.Where(device => device.Removal > 0))
        {
            var (seen, parts) = (device.Device, NicOf(device.Device)!.Value.Parts);
            var effect = RemovalEffect(device);
            yield return new Effect.Ask(effect, EntityId.Bridge(s.Id.Parts[0]), new IssueCommand(new DriverCommand(
                $"{s.Id}>{effect}", DriverVerb.DeleteNic, s.Id.Parts[1], seen.Port, parts.Length == 2 ? parts[0] : "", parts[^1],
                seen.NicKey,
                seen.Epoch, seen.Revision)));
        }
    }

    static string RemovalEffect(DiscoveredDevice device) => string.Create(CultureInfo.InvariantCulture, $"left-over:{device.Removal}");

    /// <summary>The names of the ports that each NIC is on: looked up for every device of a snapshot.</summary>
    static ILookup<EntityId, string> PortsOf(SwitchState.Here s) =>
        s.Ports.Values.SelectMany(port => port.Nics.Values.Select(nic => (nic.Id, port.Name))).ToLookup(on => on.Id, on => on.Name);

    static bool OnAnotherPort(IEnumerable<string> ports, DeviceState device) => ports.Any() && !ports.Contains(device.Port);

    static EntityId? NicOf(DeviceState device) => EntityId.Parse(device.NicKey) is { Kind: "nic" } nic ? nic : null;
}
