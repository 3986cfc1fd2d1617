using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The packet rules of one NIC: its spoofing guard and its access list, each rule with a comment that says which it is.
/// The first rule of each of its two chains decides nothing: its comment holds the policy's digest and the address that is
/// guarded, so the kernel's own listing is the read-back of the policy, and it outlives this process.
/// </summary>
sealed class PortRules
{
    public const string Spoof = "spoof";
    public const string SpoofArp = "spoof-arp";
    const string Mark = "policy=";
    const string AclPrefix = "acl-";
    const char Base = '+';
    const int ArpType = 0x0806;

    readonly PortPolicy _policy;
    readonly byte[]? _mac;
    readonly string _mark;
    readonly Lazy<List<RuleInfo>> _expected;

    public PortRules(string device, PortPolicy policy, string? mac)
    {
        _policy = policy;
        _mac = policy.AllowMacSpoofing || mac is null ? null : MacText.Bytes(mac);
        Device = device;
        Digest = policy.Digest;
        _mark = $"{Mark}{Digest}.{(_mac is null ? "any" : Convert.ToHexStringLower(_mac))}";
        _expected = new(() => [.. from direction in (AclDirection[])[AclDirection.Outbound, AclDirection.Inbound]
                                  from rule in Rules(direction)
                                  select RulesetChanges.AsRead(Ruleset.TableOf(device), Chain(direction), rule)]);
    }

    public string Device { get; }

    /// <summary>Of the policy.</summary>
    public string Digest { get; }

    /// <summary>The chain for frames from the guest, or for those to it.</summary>
    public string Chain(AclDirection direction) =>
        Device + (direction == AclDirection.Outbound ? Ruleset.Outbound : Ruleset.Inbound);

    /// <summary>Whether these are the rules of each chain in their order, counters aside.</summary>
    public bool AreIn(DeviceRules read) =>
        read.Rules.Count == _expected.Value.Count
        && read.Rules.OrderBy(rule => rule.Chain == Chain(AclDirection.Inbound))
            .Select(rule => rule with { Comment = Plain(rule.Comment), Packets = 0 }).SequenceEqual(_expected.Value);

    /// <summary>Rules of a chain, with the counts on which their counters go on.</summary>
    public IEnumerable<PacketRule> Rules(AclDirection direction, RuleCounts? counts = null)
    {
        yield return new PacketRule(_mark, [], RuleVerdict.Continue, null);
        if (direction == AclDirection.Outbound && _mac is not null)
        {
            yield return Rule(Spoof, AclRemote.Mac(entering: true, source: true, _mac, not: true), counts?.Spoofed ?? default, AclAction.Deny);
            yield return Rule(
                SpoofArp, [AclRemote.OfType(ArpType), new FieldMatch(PacketField.ArpSender, _mac, Not: true)], default, AclAction.Deny);
        }

        for (var place = 0; place < _policy.Acls.Count; place++)
        {
            if (_policy.Acls[place] is { } acl && acl.Direction == direction)
            {
                yield return Rule(AclPrefix + Number(place), Match(acl), counts?.Acls[place] ?? default, acl.Action);
            }
        }
    }

    /// <summary>Which rule of the access list a comment names; null for another one.</summary>
    public static int? Place(string comment) =>
        comment.StartsWith(AclPrefix, StringComparison.Ordinal)
        && int.TryParse(Plain(comment)[AclPrefix.Length..], CultureInfo.InvariantCulture, out var place) ? place : null;

    /// <summary>A comment without the count that its counter began with.</summary>
    public static string Plain(string comment) => comment.Split(Base)[0];

    /// <summary>What was gathered elsewhere and given to this rule.</summary>
    public static long Given(string comment) =>
        comment.Split(Base) is [_, var given] && long.TryParse(given, CultureInfo.InvariantCulture, out var count) ? count : 0;

    /// <summary>Null when the rules can be enforced; else what is wrong.</summary>
    public static string? Refuse(PortPolicy policy, string? mac)
    {
        if (!policy.AllowMacSpoofing && mac is null)
        {
            return "a NIC without an address cannot be held to it: give it one, or allow spoofing";
        }

        if (policy.Acls.Count > PortPolicy.AclsMax)
        {
            return $"{policy.Acls.Count} access rules are more than {PortPolicy.AclsMax}";
        }

        return policy.Acls.Select(Refuse).FirstOrDefault(no => no is not null);
    }

    static string? Refuse(AclRule rule)
    {
        const int portMax = 65_535;
        if (rule.Remote is not null && AclRemote.Parse(rule.Remote) is null)
        {
            return $"access rule: {rule.Remote} is no MAC, IP address or prefix";
        }

        if (rule.Protocol is < 0 or > 255 || rule.RemotePort is < 0 or > portMax || rule.LocalPort is < 0 or > portMax)
        {
            return $"access rule: {rule} has a number out of its range";
        }

        return (rule.RemotePort ?? rule.LocalPort) is not null && rule.Protocol is not (6 or 17)
            ? "access rule: a port needs protocol 6 or 17"
            : null;
    }

    static IEnumerable<FieldMatch> Match(AclRule rule)
    {
        // The remote is where a frame from the guest goes to, and where one to the guest comes from.
        var entering = rule.Direction == AclDirection.Outbound;
        var remote = rule.Remote is null ? null : AclRemote.Parse(rule.Remote);
        foreach (var match in remote?.Match(entering) ?? [])
        {
            yield return match;
        }

        if (rule.Protocol is { } protocol)
        {
            yield return new FieldMatch(PacketField.TransportProtocol, [(byte)protocol]);
        }

        if (rule.RemotePort is { } there)
        {
            yield return FieldMatch.Of(PacketField.Port(source: !entering), there);
        }

        if (rule.LocalPort is { } here)
        {
            yield return FieldMatch.Of(PacketField.Port(source: entering), here);
        }
    }

    static PacketRule Rule(string name, IEnumerable<FieldMatch> matches, RuleCount count, AclAction action) => new(
        count.Given == 0 ? name : $"{name}{Base}{Number(count.Given)}", [.. matches],
        action == AclAction.Allow ? RuleVerdict.Accept : RuleVerdict.Drop, count.Sum);

    static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What a counter has: what was gathered elsewhere and given to it, and what it counted itself.</summary>
readonly record struct RuleCount(long Given, long Own)
{
    public long Sum => Given + Own;
}

/// <summary>The counters of a NIC: its spoofing guard, and its access rules in the policy's order.</summary>
sealed record RuleCounts(RuleCount Spoofed, IReadOnlyList<RuleCount> Acls)
{
    public static RuleCounts Of(IEnumerable<RuleInfo> rules, int acls)
    {
        var (spoofed, hits) = (default(RuleCount), new RuleCount[acls]);
        foreach (var rule in rules)
        {
            var given = PortRules.Given(rule.Comment);
            if (PortRules.Place(rule.Comment) is { } place)
            {
                hits[place] = new RuleCount(given, rule.Packets - given);
            }
            else
            {
                // The guard is two rules: one for each place where an address can be forged.
                spoofed = new RuleCount(spoofed.Given + given, spoofed.Own + rule.Packets - given);
            }
        }

        return new RuleCounts(spoofed, hits);
    }
}
