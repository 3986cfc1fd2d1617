using System.Security.Cryptography;
using System.Text;
using ControlPlane.Messages;

namespace ControlPlane.DriverSimulated;

/// <summary>
/// What each verb does to a host in memory: the rules of the seam, in the order in which the Linux host asks them, so
/// that a scenario answers the same on both. The caller holds the host's lock.
/// </summary>
sealed class HostRules(HostState host, int portsMax)
{
    public static string DeviceOf(string nicKey) =>
        "n-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(nicKey)))[..12];

    public DeviceState? Find(string nicKey) => host.Devices.GetValueOrDefault(DeviceOf(nicKey));

    public Completion Carry(DriverCommand command)
    {
        var (status, detail) = (NdisStatus.Success, (string?)null);
        switch (command.Verb)
        {
            case DriverVerb.EnsureSwitch:
                host.Switches.Add(command.Switch);
                break;
            case DriverVerb.RemoveSwitch:
                (status, detail) = RemoveSwitch(command.Switch);
                break;
            case DriverVerb.CreatePort:
                (status, detail) = Reserve(command.Switch, command.Port);
                break;
            case DriverVerb.DeletePort:
                host.Ports.Remove(new ReservedPort(command.Switch, command.Port));
                break;
            case DriverVerb.TeardownPort or DriverVerb.ReleaseGuest:
                break;
            case DriverVerb.CreateNic or DriverVerb.ConnectNic or DriverVerb.DisconnectNic
                or DriverVerb.DeleteNic or DriverVerb.RepairNic or DriverVerb.ApplyPolicy or DriverVerb.ReadNic or DriverVerb.RestoreNic
                or DriverVerb.AnnounceNic:
                return CarryNic(command);
            default:
                (status, detail) = (NdisStatus.NotSupported, $"{command.Verb} is not for this host");
                break;
        }
        return new Completion(command.CommandId, status, detail);
    }

    /// <summary>The device as it is, or as it would say that it is not there.</summary>
    public DeviceState? Observe(DriverCommand command) => command.NicKey.Length == 0
        ? null
        : Find(command.NicKey) ?? new DeviceState(
            command.NicKey, command.Switch, command.Port, DeviceOf(command.NicKey),
            Present: false, Up: false, Enslaved: false, Epoch: 0, Revision: 0);

    /// <summary>A NIC's device with what is enforced for it and what it gathered under that; null: there is no device.</summary>
    public EnforcedPolicy? EnforcedFor(string nicKey) => nicKey.Length > 0 && Find(nicKey) is { } device
        ? new EnforcedPolicy(device, host.Policies.GetValueOrDefault(device.Device), host.Runtimes.GetValueOrDefault(device.Device))
        : null;

    public void PutBack(EnforcedPolicy before)
    {
        Enforce(before.Device, before.Policy, before.Device.Mac);
        if (before.Gathered is not null)
        {
            host.Runtimes[before.Device.Device] = before.Gathered;
        }
    }

    (NdisStatus, string?) RemoveSwitch(string name)
    {
        var ports = host.Devices.Values.Count(device => device.Switch == name && device.Enslaved);
        if (host.Switches.Contains(name) && ports > 0)
        {
            return (NdisStatus.Failure, $"switch {name} has {ports} ports");
        }
        host.Switches.Remove(name);
        host.Ports.RemoveWhere(port => port.Switch == name);
        return (NdisStatus.Success, null);
    }

    (NdisStatus, string?) Reserve(string name, string port)
    {
        if (!host.Switches.Contains(name))
        {
            return (NdisStatus.Failure, $"no switch {name} on this host");
        }
        var taken = host.Devices.Values.Where(device => device.Switch == name && device.Enslaved && device.Port.Length > 0)
            .Select(device => device.Port)
            .Union(host.Ports.Where(reserved => reserved.Switch == name).Select(reserved => reserved.Port))
            .ToHashSet();
        var foreign = host.Devices.Values.Count(device => device.Switch == name && device.Enslaved && device.Port.Length == 0);
        if (!taken.Contains(port) && taken.Count + foreign >= portsMax)
        {
            return (NdisStatus.Resources, $"switch {name} has {taken.Count + foreign} of {portsMax} ports");
        }
        host.Ports.Add(new ReservedPort(name, port));
        return (NdisStatus.Success, null);
    }

    Completion CarryNic(DriverCommand command)
    {
        var refusal = TryNic(command);
        var observed = Observe(command);
        refusal ??= Judge(command, observed!);
        return refusal is { } no
            ? new Completion(command.CommandId, no.Status, no.Detail, observed)
            : new Completion(command.CommandId, NdisStatus.Success, Observed: observed,
                Runtime: command.Verb == DriverVerb.ReadNic ? Gathered(observed!) : null);
    }

    (NdisStatus Status, string Detail)? TryNic(DriverCommand command)
    {
        if (Refuse(command) is { } refusal)
        {
            return refusal;
        }
        var now = Find(command.NicKey);
        if (now is not null && now.Epoch == command.Epoch && command.Revision < now.Revision
            && command.Verb is not (DriverVerb.DeleteNic or DriverVerb.ReadNic or DriverVerb.RestoreNic or DriverVerb.AnnounceNic))
        {
            // Overtaken within its epoch: harmless if what it wanted is so, else too late.
            return AsAsked(command, now)
                ? null
                : (NdisStatus.InvalidParameter, $"stale revision: {command.Revision}, applied is {now.Revision}");
        }
        Raise(command.NicKey, command.Epoch, command.Verb == DriverVerb.DeleteNic);
        return Act(command, now);
    }

    (NdisStatus Status, string Detail)? Refuse(DriverCommand command)
    {
        if (command.NicKey.Length == 0)
        {
            return (NdisStatus.InvalidParameter, "a NIC's command without its key");
        }
        var creates = command.Verb is DriverVerb.CreateNic or DriverVerb.RepairNic;
        if (creates && command.Attach == NicAttach.Veth && (command.Vm.Length == 0 || command.Nic.Length == 0))
        {
            return (NdisStatus.InvalidParameter, "a veth needs the names of its VM and its NIC");
        }
        var fence = FenceOf(command.NicKey);
        var highest = Math.Max(fence.Epoch, Find(command.NicKey)?.Epoch ?? 0);
        if (command.Epoch < highest)
        {
            return (NdisStatus.InvalidParameter, $"stale epoch: {command.Epoch}, the highest seen is {highest}");
        }
        if (creates && !host.FencesKnown)
        {
            return (NdisStatus.Resources, "fences unknown: this host lost its fences and waits for the cluster's");
        }
        return creates && fence.Tombstone && fence.Epoch == command.Epoch
            ? (NdisStatus.InvalidParameter, $"tombstoned: epoch {command.Epoch} ended with the deletion of the NIC")
            : null;
    }

    (NdisStatus Status, string Detail)? Act(DriverCommand command, DeviceState? now)
    {
        switch (command.Verb)
        {
            case DriverVerb.CreateNic or DriverVerb.RepairNic when !host.Switches.Contains(command.Switch):
                return (NdisStatus.Failure, $"no switch {command.Switch} on this host");
            case DriverVerb.CreateNic:
                // A gate that this epoch has opened is not the creation's to close.
                Put(command, up: now is not null && now.Epoch == command.Epoch && now.Up);
                return null;
            case DriverVerb.RepairNic:
                Put(command, command.Up);
                return null;
            case DriverVerb.ConnectNic when now is null:
                return (NdisStatus.Failure, "no device");
            case DriverVerb.ConnectNic when !OnSwitch(command, now):
                return (NdisStatus.Failure, $"device {now.Device} is not on switch {command.Switch}");
            case DriverVerb.AnnounceNic when now is not { Up: true } || now.Epoch != command.Epoch:
                return (NdisStatus.Failure, "the gate is not open under this epoch");
            case DriverVerb.AnnounceNic:
                host.Announced[command.NicKey] = host.Announced.GetValueOrDefault(command.NicKey) + AnnounceRounds;
                return null;
            case DriverVerb.ApplyPolicy or DriverVerb.ReadNic or DriverVerb.RestoreNic when now is null:
                return (NdisStatus.Failure, "no device");
            case DriverVerb.ApplyPolicy:
                Enforce(Fitted(now, command) with { Epoch = command.Epoch, Revision = command.Revision }, command.Policy, command.Mac ?? now.Mac);
                return null;
            case DriverVerb.ReadNic:
                return null;
            case DriverVerb.RestoreNic when command.Runtime is null:
                return (NdisStatus.InvalidParameter, "nothing to restore");
            case DriverVerb.RestoreNic when command.Runtime.AclHits is { } hits && hits.Count != RulesOf(now):
                return (NdisStatus.InvalidParameter, $"what was gathered is not that of this NIC, which has {RulesOf(now)} access rules");
            case DriverVerb.RestoreNic when command.Runtime.Refuse() is { } wrong:
                return (NdisStatus.InvalidParameter, wrong);
            case DriverVerb.RestoreNic:
                host.Runtimes[now.Device] = Gathered(now).With(command.Runtime);
                return null;
            case DriverVerb.ConnectNic or DriverVerb.DisconnectNic:
                if (now is not null)
                {
                    // NIC_CONNECT brings MTU and address anew (switch.md 2.4).
                    var fitted = command.Verb == DriverVerb.ConnectNic ? Fitted(now, command) : now;
                    host.Devices[now.Device] = fitted with
                    {
                        Switch = command.Switch,
                        Port = command.Port,
                        Up = command.Verb == DriverVerb.ConnectNic,
                        Epoch = command.Epoch,
                        Revision = command.Revision,
                    };
                }
                return null;
            default:
                host.Devices.Remove(DeviceOf(command.NicKey));
                host.Policies.Remove(DeviceOf(command.NicKey));
                host.Runtimes.Remove(DeviceOf(command.NicKey));
                return null;
        }
    }

    void Put(DriverCommand command, bool up)
    {
        var device = DeviceOf(command.NicKey);
        var made = new DeviceState(
            command.NicKey, command.Switch, command.Port, device,
            Present: true, up, Enslaved: true, command.Epoch, command.Revision)
        {
            Mtu = Find(command.NicKey)?.Mtu ?? DefaultMtu,
        };
        Enforce(Fitted(made, command), command.Policy, command.Mac ?? Find(command.NicKey)?.Mac);
    }

    const int DefaultMtu = 1_500;

    /// <summary>Rounds of an announcement, as QEMU's own has.</summary>
    const int AnnounceRounds = 5;

    /// <summary>With what the command says of MTU and address; where nothing is enforced there is no address.</summary>
    static DeviceState Fitted(DeviceState device, DriverCommand command) => device with
    {
        Mtu = command.Mtu == 0 ? device.Mtu : command.Mtu,
        Mac = device.Policy is null ? null : command.Mac ?? device.Mac,
    };

    /// <summary>Counters belong to a policy: another one begins with none.</summary>
    void Enforce(DeviceState device, PortPolicy? policy, string? mac)
    {
        if (host.Policies.GetValueOrDefault(device.Device) != policy && host.Runtimes.TryGetValue(device.Device, out var gathered))
        {
            host.Runtimes[device.Device] = gathered with { SpoofedDropped = 0, AclHits = [] };
        }
        host.Devices[device.Device] = device with { Policy = policy?.Digest, Mac = policy is null ? null : mac };
        if (policy is null)
        {
            host.Policies.Remove(device.Device);
        }
        else
        {
            host.Policies[device.Device] = policy;
        }
    }

    /// <summary>With a counter for each access rule.</summary>
    NicRuntime Gathered(DeviceState device)
    {
        var gathered = host.Runtimes.GetValueOrDefault(device.Device) ?? NicRuntime.Empty;
        return gathered.AclHits.Count == RulesOf(device) ? gathered : gathered with { AclHits = [.. Enumerable.Repeat(0L, RulesOf(device))] };
    }

    int RulesOf(DeviceState device) => host.Policies.GetValueOrDefault(device.Device)?.Acls.Count ?? 0;

    Fence FenceOf(string nicKey) => host.Fences.GetValueOrDefault(nicKey) ?? new Fence(0, Tombstone: false);

    void Raise(string nicKey, long epoch, bool tombstone)
    {
        var now = FenceOf(nicKey);
        if (epoch > now.Epoch || (tombstone && !now.Tombstone))
        {
            host.Fences[nicKey] = new Fence(epoch, tombstone);
        }
    }

    static bool OnSwitch(DriverCommand command, DeviceState now) => now.Enslaved && now.Switch == command.Switch;

    static bool AsAsked(DriverCommand command, DeviceState now) => command.Verb switch
    {
        DriverVerb.CreateNic => OnSwitch(command, now) && now.Policy == command.Policy?.Digest,
        DriverVerb.ApplyPolicy => now.Policy == command.Policy?.Digest,
        DriverVerb.ReadNic or DriverVerb.RestoreNic or DriverVerb.AnnounceNic => true,
        DriverVerb.ConnectNic => OnSwitch(command, now) && now.Up,
        DriverVerb.DisconnectNic => !now.Up,
        DriverVerb.RepairNic => OnSwitch(command, now) && now.Up == command.Up && now.Policy == command.Policy?.Digest,
        _ => !now.Present,
    };

    /// <summary>Success is what the read-back says, not what was asked.</summary>
    static (NdisStatus Status, string Detail)? Judge(DriverCommand command, DeviceState observed)
    {
        if (!observed.Present)
        {
            return command.Verb is DriverVerb.DeleteNic or DriverVerb.DisconnectNic
                ? null
                : (NdisStatus.Failure, "read back: no device");
        }
        var current = observed.Epoch == command.Epoch && observed.Revision >= command.Revision;
        return current && AsAsked(command, observed) ? null : (NdisStatus.Failure, $"read back: {observed}");
    }
}

/// <summary>A NIC's device, its policy, and what was gathered under it.</summary>
sealed record EnforcedPolicy(DeviceState Device, PortPolicy? Policy, NicRuntime? Gathered);
