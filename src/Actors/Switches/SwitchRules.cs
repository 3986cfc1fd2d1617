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
        if (ExternalAdapters.Refusal(definition) is { } uplink)
        {
            return uplink;
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

    /// <summary>What an extension that is no longer defined kept is gone; one that is disabled finds it again.</summary>
    public static SwitchState.Here Defined(SwitchState.Here s, SwitchDefinition definition)
    {
        var known = definition.Extensions.Select(ExtensionIds.Key).ToHashSet(StringComparer.Ordinal);
        s = s with
        {
            Definition = definition,
            Used = s.Used.Clear(),
            Kept = s.Kept.RemoveRange(s.Kept.Keys.Where(key => !known.Contains(key))),
            Unattached = s.Unattached.RemoveRange(s.Unattached.Keys.Where(key => !known.Contains(key))),
        };
        return s.Stage == SwitchStage.Failed ? s with { Stage = SwitchStage.Preparing, Preparations = s.Preparations + 1 } : s;
    }

    public static SwitchState.Here Queued(SwitchState.Here s, OidQueued e)
    {
        s = ExternalAdapters.Queued(s with { Queue = s.Queue.Add(new QueuedOid(e.MessageId, e.Request, e.FromPeer, e.Caller)) }, e);
        return !e.FromPeer
            && s.Transfers.Values.FirstOrDefault(open => open.Waiting is null && open.Next().RequestId == e.MessageId) is { } transfer
            ? s with { Transfers = s.Transfers.SetItem(transfer.MessageId, transfer with { Waiting = e.MessageId }) }
            : s;
    }

    public static SwitchState.Here Enter(SwitchState.Here s, OidStarted e)
    {
        var head = s.Queue[0];
        return s with
        {
            Queue = s.Queue.RemoveAt(0),
            Slot = new SlotOid(
                head.MessageId, head.Request with { PortId = e.PortId }, head.FromPeer, e.Port, e.Nic, e.Verdict, head.Caller)
            {
                At = e.At,
                Stage = e.ReadsNic ? SlotStage.Reading : StageOf(e.Verdict),
            },
        };
    }

    /// <summary>What was restored goes to the NIC's data path before the NIC is told that the OID is through.</summary>
    public static SlotStage StageOf(StackVerdict verdict) =>
        verdict is { Pause: null, Restores: not null } ? SlotStage.Restoring : SlotStage.Down;

    /// <summary>A transfer, or the external adapter, learns that its OID was illegal.</summary>
    public static SwitchState.Here Rejected(SwitchState.Here s, string messageId, Refusal refusal) =>
        NicDataTransfers.Of(s, messageId) is { } transfer
            ? s with { Transfers = s.Transfers.SetItem(transfer.MessageId, transfer.Rejected(refusal)) }
            : ExternalAdapters.Rejected(s, messageId, refusal);

    public static string Key(ExtensionClass extensionClass, string name) => ExtensionIds.Key(new ExtensionDefinition(name, extensionClass));

    public static SwitchState.Here Kept(SwitchState.Here s, IEnumerable<KeptState> keeps) => s with
    {
        Kept = keeps.Aggregate(s.Kept, (all, kept) =>
        {
            var own = all.TryGetValue(kept.Extension, out var known) ? known : None<string>.ByName;
            return all.SetItem(kept.Extension, kept.Value is { } value ? own.SetItem(kept.Scope, value) : own.Remove(kept.Scope));
        }),
    };

    /// <summary>Nothing is kept for a NIC that has gone.</summary>
    public static SwitchState.Here Forgotten(SwitchState.Here s, string scope) => s with
    {
        Kept = s.Kept.Aggregate(s.Kept, (all, own) => own.Value.ContainsKey(scope) ? all.SetItem(own.Key, own.Value.Remove(scope)) : all),
    };

    /// <summary>How many blobs this extension has given of the request's NIC.</summary>
    public static int SavedRounds(SwitchState.Here s, OidRequest request, ExtensionDefinition extension) =>
        s.Ports.TryGetValue(request.PortId, out var port) && port.Nics.TryGetValue(request.NicIndex, out var nic)
            ? nic.Saved.GetValueOrDefault(ExtensionIds.Key(extension))
            : 0;

    public static SwitchState.Here Saved(
        SwitchState.Here s, uint port, int index,
        Func<ImmutableSortedDictionary<string, int>, ImmutableSortedDictionary<string, int>> change) =>
        s.Ports.TryGetValue(port, out var on) && on.Nics.ContainsKey(index)
            ? WithNics(s, port, nics => nics.SetItem(index, nics[index] with { Saved = change(nics[index].Saved) }))
            : s;

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
        if (NicDataTransfers.Of(s, e.MessageId) is { } transfer)
        {
            s = s with { Transfers = s.Transfers.SetItem(transfer.MessageId, transfer.After(e.Outcome, slot.Verdict.Completed)) };
        }
        s = ExternalAdapters.Completed(s, e);
        return e.Outcome.Status == NdisStatus.Success ? Succeeded(Kept(s, slot.Verdict.Keeps ?? []), slot, e) : s;
    }

    static SwitchState.Here Succeeded(SwitchState.Here s, SlotOid slot, OidCompleted e)
    {
        var (id, index, oid) = (slot.Request.PortId, slot.Request.NicIndex, e.Oid);
        if (oid == OidCode.PortCreate && slot.Request.Parameters is PortParameters port)
        {
            var added = new SwitchPort(
                id, slot.Port.Parts[2], slot.Port, port.PortType, port.IsValidationPort, ImmutableSortedDictionary<int, SwitchNic>.Empty)
            {
                PortName = port.PortName,
                FriendlyName = port.PortFriendlyName,
            };
            return s with { Ports = s.Ports.Add(id, added), NextPortId = Math.Max(s.NextPortId, id == uint.MaxValue ? 1 : id + 1) };
        }
        if (!s.Ports.TryGetValue(id, out var known) || (NeedsNic(oid) && !known.Nics.ContainsKey(index)))
        {
            return s; // it ended with its host while the answer was on its way
        }
        if (oid == OidCode.PortUpdated && slot.Request.Parameters is PortParameters updated)
        {
            return s with { Ports = s.Ports.SetItem(id, s.Ports[id] with { FriendlyName = updated.PortFriendlyName }) };
        }
        if (oid == OidCode.PortTeardown)
        {
            return s with { Ports = s.Ports.SetItem(id, s.Ports[id] with { TearingDown = true }) };
        }
        if (oid == OidCode.PortDelete)
        {
            return s with { Ports = s.Ports.Remove(id) };
        }
        if (oid == OidCode.NicCreate && slot.Request.Parameters is NicParameters nic)
        {
            var added = new SwitchNic(slot.Nic!.Value, nic.NicType, MacAddress.Canonical(nic.PermanentMacAddress), e.Outcome.NicState)
            {
                NicName = nic.NicName,
                VmName = nic.VmName,
                Mtu = slot.Verdict.Mtu ?? nic.Mtu,
                CurrentMac = MacAddress.Canonical(nic.CurrentMacAddress),
                VfAssigned = nic.VfAssigned == true,
                VmEpoch = nic.Epoch,
            };
            return WithNics(Discovery.Adopted(s, added.Id), id, nics => nics.Add(index, added));
        }
        if (oid == OidCode.NicConnect || oid == OidCode.NicDisconnect)
        {
            return WithNics(s, id, nics => nics.SetItem(
                index, Changed(nics[index], slot.Request.Parameters) with { State = e.Outcome.NicState, Saved = None<int>.ByName }));
        }
        if (oid == OidCode.NicUpdated)
        {
            return WithNics(s, id, nics => nics.SetItem(index, Changed(nics[index], slot.Request.Parameters)));
        }
        return oid == OidCode.NicDelete ? WithNics(Forgotten(s, StackView.ForNic(id, index)), id, nics => nics.Remove(index)) : s;
    }

    static bool NeedsNic(OidCode oid) => oid == OidCode.NicConnect || oid == OidCode.NicDisconnect || oid == OidCode.NicUpdated;

    /// <summary>What is not given stays (switch.md 2.4).</summary>
    static SwitchNic Changed(SwitchNic nic, OidParameters? parameters) => parameters is not NicParameters given ? nic : nic with
    {
        Mac = MacAddress.Canonical(given.PermanentMacAddress) ?? nic.Mac,
        CurrentMac = MacAddress.Canonical(given.CurrentMacAddress) ?? nic.CurrentMac,
        Mtu = given.Mtu ?? nic.Mtu,
        VfAssigned = given.VfAssigned ?? nic.VfAssigned,
    };

    static SwitchState.Here WithNics(
        SwitchState.Here s, uint port, Func<ImmutableSortedDictionary<int, SwitchNic>, ImmutableSortedDictionary<int, SwitchNic>> change) =>
        s with { Ports = s.Ports.SetItem(port, s.Ports[port] with { Nics = change(s.Ports[port].Nics) }) };

    static Refusal Wrong(string code, string detail, string field) => new(RefusalKind.Unprocessable, code, detail, Field: field);
}
