using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The verbs about one NIC. Each is refused or let through by the fences, changes the device, and is a success only if
/// the device read back afterwards is what the command asked for.
/// </summary>
sealed class NicDevices(DeviceNames names, Links host, HostBridge switches, DeviceRecords records, FenceFile fences,
    PortPolicies policies)
{
    // Any number: one group holds all NIC devices, so that an ordered end can delete them with one request.
    public const int Group = 0x6e6963;

    readonly GuestBackplane _guests = new(names, host);
    readonly DeviceReader _reader = new(host, records, policies);
    DeviceBuilder Builder => field ??= new DeviceBuilder(names, host, switches, _guests, policies);

    public void Release(string vm) => _guests.Release(vm);

    /// <summary>Between begin and end of the watch, whose last reading is the read-back.</summary>
    public Completion Carry(DriverCommand command, LinkWatch watch)
    {
        var device = DeviceNames.Nic(command.NicKey);
        (NdisStatus Status, string Detail)? refusal;
        NicRuntime? gathered = null;
        Sighting? seen;
        watch.Begin(device);
        try
        {
            refusal = Try(command, device, ref gathered);
        }
        finally
        {
            seen = watch.End(device);
        }

        var observed = seen?.State ?? new DeviceState(
            command.NicKey, command.Switch, command.Port, device,
            Present: false, Up: false, Enslaved: false, Epoch: 0, Revision: 0);
        refusal ??= Judge(command, observed);
        return refusal is { } no
            ? new Completion(command.CommandId, no.Status, no.Detail, observed)
            : new Completion(command.CommandId, NdisStatus.Success, Observed: observed, Runtime: gathered);
    }

    /// <summary>Puts back what an ordered end removed. It was let through once already, so no fence is asked.</summary>
    public void Restore(DeviceRecord record, DeviceState was)
    {
        // A device without an alias is one that a crash left half built.
        if (host.Find(record.Device) is not { Alias.Length: > 0 })
        {
            records.Keep(record);
            Builder.Build(record, new DeviceAlias(was.NicKey, was.Switch, was.Port, was.Epoch, was.Revision), was.Up, was.Enslaved);
        }
    }

    (NdisStatus Status, string Detail)? Try(DriverCommand command, string device, ref NicRuntime? gathered)
    {
        try
        {
            var now = _reader.Read(device)?.State;
            if (Refuse(command, now) is { } refusal)
            {
                return refusal;
            }

            if (command.Verb == DriverVerb.ReadNic)
            {
                // Reading is no change: it raises no fence and no revision.
                return Read(device, ref gathered);
            }

            if (command.Verb == DriverVerb.AnnounceNic)
            {
                return Announce(command, now);
            }

            // A command that was overtaken within its epoch: harmless if what it wanted is so, else too late.
            if (now is not null && now.Epoch == command.Epoch && command.Revision < now.Revision
                && command.Verb != DriverVerb.DeleteNic)
            {
                return AsAsked(command, now) && Fits(command, now)
                    && (command.Verb != DriverVerb.ApplyPolicy || now.Policy == command.Policy?.Digest)
                    ? null
                    : (NdisStatus.InvalidParameter, $"stale revision: {command.Revision}, applied is {now.Revision}");
            }

            fences.Raise(command.NicKey, command.Epoch, tombstone: command.Verb == DriverVerb.DeleteNic);
            return Act(command, now);
        }
        catch (KernelException error)
        {
            return (error.Status, error.Message);
        }
        catch (IOException error)
        {
            return (NdisStatus.Failure, error.Message);
        }
    }

    (NdisStatus Status, string Detail)? Refuse(DriverCommand command, DeviceState? now)
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

        if (Carries(command) && command.Policy is { } policy && PortPolicies.Refuse(policy, AddressOf(command)) is { } no)
        {
            return (NdisStatus.InvalidParameter, no);
        }

        if (now is not null && now.NicKey.Length > 0 && now.NicKey != command.NicKey)
        {
            return (NdisStatus.Failure, $"device {now.Device} belongs to {now.NicKey}");
        }

        var fence = fences.Of(command.NicKey);
        var highest = Math.Max(fence.Epoch, now?.Epoch ?? 0);
        if (command.Epoch < highest)
        {
            return (NdisStatus.InvalidParameter, $"stale epoch: {command.Epoch}, the highest seen is {highest}");
        }

        if (creates && !fences.Known)
        {
            return (NdisStatus.Resources, "fences unknown: this host lost its fence file and waits for the cluster's");
        }

        return creates && fence.Tombstone && fence.Epoch == command.Epoch
            ? (NdisStatus.InvalidParameter, $"tombstoned: epoch {command.Epoch} ended with the deletion of the NIC")
            : null;
    }

    (NdisStatus Status, string Detail)? Act(DriverCommand command, DeviceState? now)
    {
        switch (command.Verb)
        {
            case DriverVerb.CreateNic:
                // A gate that this epoch has opened is not the creation's to close.
                return Build(command, gate: now is not null && now.Epoch == command.Epoch ? null : false);
            case DriverVerb.RepairNic:
                return Build(command, command.Up);
            case DriverVerb.ConnectNic when now is null:
                return (NdisStatus.Failure, "no device");
            case DriverVerb.ConnectNic when !OnBridge(command, now):
                return (NdisStatus.Failure, $"device {now.Device} is not on the bridge of switch {command.Switch}");
            case DriverVerb.ConnectNic when now.Policy != records.Find(now.Device)?.Policy?.Digest:
                return (NdisStatus.Failure, $"device {now.Device} does not have its policy: it must be repaired first");
            case DriverVerb.ApplyPolicy or DriverVerb.RestoreNic when now is null:
                return (NdisStatus.Failure, "no device");
            case DriverVerb.ApplyPolicy:
                return Apply(command, now);
            case DriverVerb.RestoreNic:
                return Give(command, now);
            case DriverVerb.ConnectNic or DriverVerb.DisconnectNic:
                if (command.Verb == DriverVerb.ConnectNic && records.Find(now!.Device) is { } known && known.With(command) != known
                    && Replace(known.With(command), known) is { } unfit)
                {
                    // NIC_CONNECT brings MTU and address anew (switch.md 2.4), and no frame passes under the old ones.
                    return unfit;
                }

                if (now is not null)
                {
                    var alias = Alias(command).Write();
                    host.Change(host.Need(now.Device), new LinkChange(command.Verb == DriverVerb.ConnectNic, Alias: alias));
                }

                return null;
            default:
                if (host.Find(DeviceNames.Nic(command.NicKey)) is { } link)
                {
                    host.Delete(link);
                }

                policies.Forget(DeviceNames.Nic(command.NicKey));
                records.Cut(DeviceNames.Nic(command.NicKey));
                return null;
        }
    }

    (NdisStatus Status, string Detail)? Apply(DriverCommand command, DeviceState now)
    {
        var former = records.Find(now.Device);
        var wanted = (former ?? DeviceRecord.Of(command)).With(command) with { Policy = command.Policy };
        if (Replace(wanted, former) is { } refusal)
        {
            return refusal;
        }

        host.Change(host.Need(now.Device), new LinkChange(Alias: Alias(command).Write()));
        return null;
    }

    /// <summary>
    /// All of it, or what held before: what is refused half-way leaves no device under neither. The record follows the
    /// kernel, so that after a crash in between the former one is still known.
    /// </summary>
    (NdisStatus Status, string Detail)? Replace(DeviceRecord wanted, DeviceRecord? former)
    {
        (NdisStatus Status, string Detail) no;
        try
        {
            Enforce(wanted);
            records.Keep(wanted);
            var seen = _reader.Read(wanted.Device)?.State;
            if (seen is not null && seen.Policy == wanted.Policy?.Digest && seen.Mtu == wanted.Mtu)
            {
                return null;
            }

            no = (NdisStatus.Failure, $"read back: the policy {wanted.Policy?.Digest ?? "none"} is not whole in the kernel: {seen}");
        }
        catch (KernelException error)
        {
            no = (error.Status, error.Message);
        }
        catch (IOException error)
        {
            no = (NdisStatus.Failure, error.Message);
        }

        if (former is null)
        {
            return no;
        }

        try
        {
            records.Keep(former);
            Enforce(former);
            return no;
        }
        catch (Exception again) when (again is KernelException or IOException)
        {
            return (no.Status, $"{no.Detail}; what held before could not be put back: {again.Message}");
        }
    }

    /// <summary>Each piece on the device in place.</summary>
    void Enforce(DeviceRecord record)
    {
        var link = host.Need(record.Device);
        if (link.Mtu != record.Mtu && record.Policy is { Bandwidth.InboundBitsPerSecond: not null } policy)
        {
            // What a limit saves up fits the MTU, and only a limit that was not there is measured out anew.
            policies.Apply(record with { Policy = policy with { Bandwidth = policy.Bandwidth with { InboundBitsPerSecond = null } } }, link);
        }

        policies.Apply(record, link);
        if (link.Mtu != record.Mtu)
        {
            host.Change(link, new LinkChange(Mtu: record.Mtu));
        }

        Builder.FitFarEnds(record);
    }

    (NdisStatus Status, string Detail)? Read(string device, ref NicRuntime? gathered)
    {
        if (records.Find(device) is not { } record || host.Find(device) is not { } link)
        {
            return (NdisStatus.Failure, "no device");
        }

        gathered = policies.Gathered(record, link);
        return null;
    }

    /// <summary>Where the gate is open under this epoch and no other. Says where the address is, and changes nothing else.</summary>
    (NdisStatus Status, string Detail)? Announce(DriverCommand command, DeviceState? now)
    {
        if (now is not { Up: true } || now.Epoch != command.Epoch || records.Find(now.Device) is not { Mac: { } mac } record)
        {
            return (NdisStatus.Failure, "nothing to announce: the gate is not open under this epoch, or the NIC has no address");
        }

        var link = host.Need(now.Device);
        policies.Learn(link, mac);
        Announcement.Send(names.HostNamespace, host.All(link.Master).Where(port => port.Up && port.Index != link.Index), mac, record.Policy?.Vlan);
        return null;
    }

    /// <summary>A later round.</summary>
    public bool AnnounceAgain(DriverCommand command) =>
        Announce(command, _reader.Read(DeviceNames.Nic(command.NicKey))?.State) is null;

    (NdisStatus Status, string Detail)? Give(DriverCommand command, DeviceState now)
    {
        var record = records.Find(now.Device);
        var rules = record?.Policy?.Acls.Count ?? 0;
        if (record is null || command.Runtime is not { } given || (given.AclHits is { } hits && hits.Count != rules))
        {
            return (NdisStatus.InvalidParameter, $"what was gathered is not that of this NIC, which has {rules} access rules");
        }

        if (given.Refuse() is { } wrong)
        {
            return (NdisStatus.InvalidParameter, wrong);
        }

        if (!now.Up && given.Learned?.Count > 0)
        {
            return (NdisStatus.Failure, "a bridge learns no address behind a closed gate: connect first");
        }

        var link = host.Need(now.Device);
        policies.Give(record, link, given);
        host.Change(link, new LinkChange(Alias: Alias(command).Write()));
        return null;
    }

    (NdisStatus Status, string Detail)? Build(DriverCommand command, bool? gate)
    {
        if (switches.Find(command.Switch) is null)
        {
            return (NdisStatus.Failure, $"no switch {command.Switch} on this host");
        }

        var made = DeviceRecord.Of(command);
        var record = records.Find(made.Device) is { } before ? made with { Mac = command.Mac ?? before.Mac, Mtu = before.With(command).Mtu } : made;
        records.Keep(record);
        Builder.Build(record, Alias(command), gate, enslave: true);
        return null;
    }

    static DeviceAlias Alias(DriverCommand command) =>
        new(command.NicKey, command.Switch, command.Port, command.Epoch, command.Revision);

    /// <summary>A command without the NIC's address leaves it as it is.</summary>
    string? AddressOf(DriverCommand command) => command.Mac ?? records.Find(DeviceNames.Nic(command.NicKey))?.Mac;

    /// <summary>Verbs whose command says what is enforced.</summary>
    static bool Carries(DriverCommand command) =>
        command.Verb is DriverVerb.CreateNic or DriverVerb.RepairNic or DriverVerb.ApplyPolicy;

    /// <summary>The MTU that the command asks for, if it asks for one.</summary>
    static bool Fits(DriverCommand command, DeviceState now) => command.Mtu == 0 || now.Mtu == command.Mtu;

    static bool OnBridge(DriverCommand command, DeviceState now) => now.Enslaved && now.Switch == command.Switch;

    /// <summary>Whether the device has what the verb wants, epochs and revisions aside.</summary>
    static bool AsAsked(DriverCommand command, DeviceState now) => command.Verb switch
    {
        DriverVerb.CreateNic => OnBridge(command, now),
        DriverVerb.ConnectNic => OnBridge(command, now) && now.Up,
        DriverVerb.AnnounceNic => now.Up,
        DriverVerb.DisconnectNic => !now.Up,
        DriverVerb.RepairNic => OnBridge(command, now) && now.Up == command.Up,
        DriverVerb.ApplyPolicy or DriverVerb.ReadNic => now.Present,
        DriverVerb.RestoreNic => now.Revision == command.Revision,
        _ => !now.Present,
    };

    static (NdisStatus Status, string Detail)? Judge(DriverCommand command, DeviceState observed)
    {
        if (!observed.Present)
        {
            // Nothing there is what a deletion wants, and a gate that is not there is closed.
            return command.Verb is DriverVerb.DeleteNic or DriverVerb.DisconnectNic
                ? null
                : (NdisStatus.Failure, "read back: no device");
        }

        var current = observed.Epoch == command.Epoch
            && (observed.Revision >= command.Revision || command.Verb is DriverVerb.ReadNic or DriverVerb.AnnounceNic);
        if ((Carries(command) || command.Verb == DriverVerb.ConnectNic) && !Fits(command, observed) && observed.Revision <= command.Revision)
        {
            return (NdisStatus.Failure, $"read back: the MTU is {observed.Mtu}, not {command.Mtu}");
        }

        if (Carries(command) && observed.Policy != command.Policy?.Digest && observed.Revision <= command.Revision)
        {
            return (NdisStatus.Failure, $"read back: the policy {command.Policy?.Digest ?? "none"} is not whole in the kernel");
        }

        return current && AsAsked(command, observed)
            ? null
            : (NdisStatus.Failure, $"read back: {observed}");
    }
}
