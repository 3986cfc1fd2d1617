using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The packet rules of all NICs of a host, each NIC's in chains of its own (<see cref="Ruleset"/>): made before the
/// device is on its bridge, and read back. What the kernel has must be what was encoded, rule by rule; anything else
/// was made by another hand.
/// </summary>
sealed class PortFilter(string networkNamespace, Links links) : IDisposable
{
    readonly Lock _sync = new();
    readonly Ruleset _ruleset = new(networkNamespace, links);

    /// <summary>Transactions that changed a NIC's rules, so far.</summary>
    public long Applied { get; private set; }

    public long FullReadings => _ruleset.FullReadings;

    /// <summary>Makes the rules so; nothing is done if they are.</summary>
    /// <param name="device">The device's place in the kernel's table of links.</param>
    public void Apply(PortRules port, int device)
    {
        lock (_sync)
        {
            if (!Enforces(_ruleset.Rules(port.Device, device), port))
            {
                Commit(port, device, counts: null);
            }
        }
    }

    public bool Enforces(PortRules port, int device)
    {
        lock (_sync)
        {
            return Enforces(_ruleset.Rules(port.Device, device), port);
        }
    }

    /// <summary>Success also when there are none.</summary>
    public void Remove(string device)
    {
        lock (_sync)
        {
            if (_ruleset.Rules(device, 0) is { } now)
            {
                _ruleset.Commit(device, 0, [.. Delete(now)], "remove the rules of " + device);
                Applied++;
            }
        }
    }

    /// <summary>Removes the rules of devices that went while nobody was there to remove them too.</summary>
    public void RemoveLeft()
    {
        foreach (var device in Left())
        {
            Remove(device);
        }
    }

    /// <summary>The counters of now.</summary>
    public RuleCounts Count(PortRules port, int acls)
    {
        lock (_sync)
        {
            return RuleCounts.Of(_ruleset.ReadRules(port.Device), acls);
        }
    }

    /// <summary>
    /// Lets the counters go on from counts that were gathered elsewhere. The comments hold what was given, so giving
    /// the same again changes nothing.
    /// </summary>
    public void Continue(PortRules port, int device, NicRuntime from)
    {
        lock (_sync)
        {
            var counts = Count(port, from.AclHits.Count);
            if (counts.Spoofed.Given == from.SpoofedDropped && counts.Acls.Select(acl => acl.Given).SequenceEqual(from.AclHits))
            {
                return;
            }

            Commit(port, device, new RuleCounts(
                counts.Spoofed with { Given = from.SpoofedDropped },
                [.. counts.Acls.Select((acl, place) => acl with { Given = from.AclHits[place] })]));
        }
    }

    public void Dispose() => _ruleset.Dispose();

    static bool Enforces(DeviceRules? now, PortRules port) => now is { Whole: true } && port.AreIn(now);

    void Commit(PortRules port, int device, RuleCounts? counts)
    {
        var what = "apply the rules of " + port.Device;
        if (_ruleset.Rules(port.Device, device) is { Flags: not 0 })
        {
            _ruleset.Commit(port.Device, device, [RulesetChanges.EnsureTable(Ruleset.TableOf(port.Device))], what);
        }

        _ruleset.Commit(port.Device, device, [.. Replace(port, _ruleset.Rules(port.Device, device), counts)], what);
        Applied++;
    }

    /// <summary>Between two frames: what is replaced and what replaces it are in one transaction.</summary>
    static IEnumerable<NetlinkMessage> Replace(PortRules port, DeviceRules? now, RuleCounts? counts)
    {
        var (table, whole) = (Ruleset.TableOf(port.Device), now is { Whole: true });
        if (!whole)
        {
            // The device is a new one, or another hand was at it: all of it is made anew.
            yield return RulesetChanges.EnsureTable(table);
        }

        foreach (var part in whole || now is null ? [] : Delete(now))
        {
            yield return part;
        }

        foreach (var direction in (AclDirection[])[AclDirection.Outbound, AclDirection.Inbound])
        {
            var chain = port.Chain(direction);
            yield return whole
                ? RulesetChanges.Flush(table, chain)
                : RulesetChanges.NewChain(
                    table, chain, direction == AclDirection.Outbound ? HookInfo.Outbound(port.Device) : HookInfo.Inbound(port.Device));
            foreach (var rule in port.Rules(direction, counts))
            {
                yield return RulesetChanges.NewRule(table, chain, rule);
            }
        }
    }

    static IEnumerable<NetlinkMessage> Delete(DeviceRules now) => now.Chains.SelectMany(chain => (NetlinkMessage[])
        [RulesetChanges.Flush(Ruleset.TableOf(now.Name), chain), RulesetChanges.DeleteChain(Ruleset.TableOf(now.Name), chain)]);

    List<string> Left()
    {
        lock (_sync)
        {
            return [.. _ruleset.Names().Where(device => DeviceNames.IsNic(device) && links.Find(device) is null)];
        }
    }
}
