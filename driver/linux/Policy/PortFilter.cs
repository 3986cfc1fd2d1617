using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The packet rules of all NICs of a host: applied by device name, so they can be there before the device is, and read
/// back. What the kernel compiled from a policy is remembered when it is applied or first seen; another content under
/// the same names was made by another hand.
/// </summary>
sealed class PortFilter(string networkNamespace) : IDisposable
{
    readonly Lock _sync = new();
    readonly Ruleset _ruleset = new(networkNamespace);
    readonly Dictionary<string, string> _compiled = [];
    Nftables? _library;

    /// <summary>Transactions that changed a NIC's rules, so far.</summary>
    public long Applied { get; private set; }

    public long FullReadings => _ruleset.FullReadings;

    /// <summary>Makes the rules so; nothing is done if they are.</summary>
    public void Apply(PortRules port)
    {
        lock (_sync)
        {
            var now = _ruleset.View();
            if (!Enforces(now, port))
            {
                Commit(port, now, counts: null);
            }
        }
    }

    public bool Enforces(PortRules port)
    {
        lock (_sync)
        {
            return Enforces(_ruleset.View(), port);
        }
    }

    /// <summary>Success also when there are none.</summary>
    public void Remove(string device)
    {
        lock (_sync)
        {
            var now = _ruleset.View();
            if (RuleText.Remove(device, now) is { Length: > 0 } text)
            {
                Forget(now, device);
                Library().Commit(text, "remove the rules of " + device);
                Applied++;
                _ruleset.After(now, device);
            }
        }
    }

    /// <summary>The counters of now.</summary>
    public RuleCounts Count(PortRules port, int acls)
    {
        lock (_sync)
        {
            return RuleCounts.Of(
                [.. _ruleset.ReadRules(port.Outbound), .. _ruleset.ReadRules(port.Inbound)], acls);
        }
    }

    /// <summary>
    /// Lets the counters go on from counts that were gathered elsewhere. The comments hold what was given, so giving
    /// the same again changes nothing.
    /// </summary>
    public void Continue(PortRules port, NicRuntime from)
    {
        lock (_sync)
        {
            var counts = Count(port, from.AclHits.Count);
            if (counts.Spoofed.Given == from.SpoofedDropped && counts.Acls.Select(acl => acl.Given).SequenceEqual(from.AclHits))
            {
                return;
            }

            Commit(port, _ruleset.View(), new RuleCounts(
                counts.Spoofed with { Given = from.SpoofedDropped },
                [.. counts.Acls.Select((acl, place) => acl with { Given = from.AclHits[place] })]));
        }
    }

    public void Dispose()
    {
        _library?.Dispose();
        _ruleset.Dispose();
    }

    bool Enforces(RulesetView now, PortRules port) =>
        now.Whole
        && now.Chain(Ruleset.Outbound, port.Device) == port.Outbound
        && now.Chain(Ruleset.Inbound, port.Device) == port.Inbound
        && Holds(now, port, port.Outbound, AclDirection.Outbound)
        && Holds(now, port, port.Inbound, AclDirection.Inbound);

    bool Holds(RulesetView now, PortRules port, string chain, AclDirection direction)
    {
        var rules = now.Rules.GetValueOrDefault(chain) ?? [];
        var compiled = string.Join(' ', rules.Select(rule => rule.Digest));
        if (!_compiled.TryGetValue(chain, out var remembered))
        {
            _compiled[chain] = remembered = compiled;
        }

        return compiled == remembered
            && rules.Select(rule => PortRules.Plain(rule.Comment)).SequenceEqual(port.Rules(direction).Select(rule => rule.Comment));
    }

    void Commit(PortRules port, RulesetView now, RuleCounts? counts)
    {
        // What is remembered of these names is of before.
        Forget(now, port.Device);
        Library().Commit(RuleText.Replace(port, now, counts), "apply the rules of " + port.Device);
        Applied++;
        _ruleset.After(now, port.Device);
    }

    void Forget(RulesetView now, string device)
    {
        foreach (var chain in now.Owned(device))
        {
            _compiled.Remove(chain);
        }
    }

    Nftables Library() => _library ??= Nftables.Open(networkNamespace);
}
