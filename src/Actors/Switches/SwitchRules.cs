using System.Collections.Immutable;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>What a definition may be, and how completed OIDs change what the switch knows of its ports.</summary>
static class SwitchRules
{
    /// <summary>Extensions that a switch may have.</summary>
    public const int ExtensionsMax = 32;

    /// <summary>Why a definition is refused, or null.</summary>
    public static Refusal? Refusal(SwitchDefinition definition)
    {
        if (definition.Extensions.Count > ExtensionsMax)
        {
            return Wrong("switch.extensions.many", $"A switch has at most {ExtensionsMax} extensions.", "extensions");
        }
        for (var i = 0; i < definition.Extensions.Count; i++)
        {
            var (extension, field) = (definition.Extensions[i], $"extensions[{i}]");
            if (!BuiltIn.All.TryGetValue(extension.Name, out var builtIn))
            {
                return Wrong("switch.extension.unknown", $"There is no extension {extension.Name}.", $"{field}.name");
            }
            if (builtIn.Class is { } only && only != extension.Class)
            {
                return Wrong("switch.extension.class", $"{extension.Name} is of class {only}.", $"{field}.class");
            }
            if (extension.Settings?.MaxPorts is < 0)
            {
                return Wrong("switch.extension.settings", "maxPorts is 0 or more.", $"{field}.settings.maxPorts");
            }
        }
        return definition.Extensions.Count(extension => extension is { Enabled: true, Class: ExtensionClass.Forward }) > 1
            ? Messages.Refusal.Illegal("switch.extensions.two-forwarders", "At most one forwarding extension is enabled.", "X30", "defined")
            : null;
    }

    public static SwitchState.Here NewSwitch(SwitchState.Absent s, SwitchDefinition definition) => new(
        s.Id, definition, SwitchStage.Preparing, s.Preparations + 1, null, 1,
        ImmutableSortedDictionary<uint, SwitchPort>.Empty, null, [],
        ImmutableSortedDictionary.Create<string, Errand>(StringComparer.Ordinal),
        ImmutableSortedDictionary.Create<string, EntityId>(StringComparer.Ordinal),
        ImmutableSortedDictionary.Create<string, int>(StringComparer.Ordinal),
        ImmutableSortedDictionary<EntityId, ReportDevice>.Empty);

    public static SwitchState.Here Enter(SwitchState.Here s, OidStarted e)
    {
        var head = s.Queue[0];
        return s with
        {
            Queue = s.Queue.RemoveAt(0),
            Slot = new SlotOid(head.MessageId, head.Request with { PortId = e.PortId }, head.FromPeer, e.Port, e.Nic, e.Verdict, head.Caller),
        };
    }

    /// <summary>The OID is over: it leaves the slot, or the queue if it never had the slot.</summary>
    public static SwitchState.Here Leave(SwitchState.Here s, string messageId) =>
        s.Slot?.MessageId == messageId
            ? s with { Slot = null }
            : s with { Queue = s.Queue.RemoveAll(queued => queued.MessageId == messageId) };

    /// <summary>What a completed OID changes in the switch's own picture of its ports and NICs.</summary>
    public static SwitchState.Here Completed(SwitchState.Here s, OidCompleted e)
    {
        if (s.Slot is not { } slot || slot.MessageId != e.MessageId)
        {
            return s;
        }
        s = s with { Used = slot.Verdict.Used.Aggregate(s.Used, (used, key) => used.SetItem(key, used.GetValueOrDefault(key) + 1)) };
        if (e.Outcome.Status != NdisStatus.Success)
        {
            return s;
        }
        var (id, index) = (slot.Request.PortId, slot.Request.NicIndex);
        if (e.Oid == OidCode.PortCreate && slot.Request.Parameters is PortParameters port)
        {
            var added = new SwitchPort(
                id, slot.Port.Parts[2], slot.Port, port.PortType, port.IsValidationPort, ImmutableSortedDictionary<int, SwitchNic>.Empty);
            return s with { Ports = s.Ports.Add(id, added), NextPortId = Math.Max(s.NextPortId, id == uint.MaxValue ? 1 : id + 1) };
        }
        if (e.Oid == OidCode.PortDelete)
        {
            return s with { Ports = s.Ports.Remove(id) };
        }
        if (e.Oid == OidCode.NicCreate && slot.Request.Parameters is NicParameters nic)
        {
            var added = new SwitchNic(slot.Nic!.Value, nic.NicType, MacAddress.Canonical(nic.PermanentMacAddress), e.Outcome.NicState);
            return WithNics(s, id, nics => nics.Add(index, added));
        }
        if (e.Oid == OidCode.NicConnect || e.Oid == OidCode.NicDisconnect)
        {
            return WithNics(s, id, nics => nics.SetItem(index, nics[index] with { State = e.Outcome.NicState }));
        }
        if (e.Oid == OidCode.NicUpdated && (slot.Request.Parameters as NicParameters)?.PermanentMacAddress is { } mac)
        {
            return WithNics(s, id, nics => nics.SetItem(index, nics[index] with { Mac = MacAddress.Canonical(mac) }));
        }
        return e.Oid == OidCode.NicDelete ? WithNics(s, id, nics => nics.Remove(index)) : s;
    }

    static SwitchState.Here WithNics(
        SwitchState.Here s, uint port, Func<ImmutableSortedDictionary<int, SwitchNic>, ImmutableSortedDictionary<int, SwitchNic>> change) =>
        s with { Ports = s.Ports.SetItem(port, s.Ports[port] with { Nics = change(s.Ports[port].Nics) }) };

    public static SwitchState.Here EndErrand(SwitchState.Here s, ErrandEnded e)
    {
        var errand = s.Errands[e.MessageId];
        var holds = (errand.Body, e.Reply) switch
        {
            (TakeHold take, HoldTaken) => s.Holds.SetItem(take.HoldId, errand.Target),
            (ReleaseHold release, Done) => s.Holds.Remove(release.HoldId),
            _ => s.Holds,
        };
        return s with { Errands = s.Errands.Remove(e.MessageId), Holds = holds };
    }

    /// <summary>Each NIC with a device gets the snapshot's line about it, or "absent"; a missing switch is made again.</summary>
    public static SwitchState.Here Reconcile(SwitchState.Here s, SwitchReconcileStarted e)
    {
        var source = $"snapshot:{e.Session}";
        var reports = ImmutableSortedDictionary.CreateBuilder<EntityId, ReportDevice>();
        foreach (var port in s.Ports.Values)
        {
            foreach (var nic in port.Nics.Values.Where(nic => nic.Type is NicType.Synthetic or NicType.Emulated))
            {
                var device = e.Devices.FirstOrDefault(seen => seen.NicKey == nic.Id.Text && seen.Port == port.Name)
                    ?? new DeviceState(nic.Id.Text, s.Id.Parts[1], port.Name, "", false, false, false, 0, 0);
                reports[nic.Id] = new ReportDevice(source, true, device, e.Session);
            }
        }
        return (e.Present && s.Stage != SwitchStage.Failed) || s.Stage == SwitchStage.Deleting
            ? s with { Reports = reports.ToImmutable() }
            : s with { Reports = reports.ToImmutable(), Stage = SwitchStage.Preparing, Preparations = s.Preparations + 1 };
    }

    static Refusal Wrong(string code, string detail, string field) => new(RefusalKind.Unprocessable, code, detail, Field: field);
}
