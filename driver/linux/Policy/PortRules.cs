using System.Globalization;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// The packet rules of one NIC: its spoofing guard and its access list, each rule with a comment that says which it is.
/// The first rule of each of its two chains decides nothing: its comment holds the policy's digest and the address that is
/// guarded, so the kernel's own listing is the read-back of the policy, and it outlives this process. The chains keep their
/// names: only their rules are replaced, which the kernel does between two frames. (A frame that found its chain by a map
/// just before a new chain took the place could meet that chain still without its rules.)
/// </summary>
sealed class PortRules
{
    public const string Spoof = "spoof";
    public const string SpoofArp = "spoof-arp";
    const string Mark = "policy=";
    const string AclPrefix = "acl-";
    const char Base = '+';

    readonly PortPolicy _policy;
    readonly string? _mac;
    readonly string _mark;

    public PortRules(string device, PortPolicy policy, string? mac)
    {
        _policy = policy;
        _mac = policy.AllowMacSpoofing ? null : mac;
        Device = device;
        Digest = policy.Digest;
        _mark = $"{Mark}{Digest}.{_mac?.Replace(":", "", StringComparison.Ordinal) ?? "any"}";
        Outbound = device + ".out";
        Inbound = device + ".in";
    }

    public string Device { get; }

    /// <summary>Of the policy.</summary>
    public string Digest { get; }

    /// <summary>The chain for frames from the guest.</summary>
    public string Outbound { get; }

    /// <summary>The chain for frames to the guest.</summary>
    public string Inbound { get; }

    /// <summary>The device whose chain it is.</summary>
    public static string DeviceOf(string chain) => chain.Split('.')[0];

    /// <summary>Rules of a chain, with the counts on which their counters go on.</summary>
    public IEnumerable<(string Comment, string Text)> Rules(AclDirection direction, RuleCounts? counts = null)
    {
        yield return (_mark, $"continue comment \"{_mark}\"");
        if (direction == AclDirection.Outbound && _mac is not null)
        {
            yield return Rule(Spoof, $"ether saddr != {_mac}", counts?.Spoofed ?? default, AclAction.Deny);

            // Not the library's own dependency: it compares the bytes behind the source address, which hold a tag if there is one.
            yield return Rule(SpoofArp, $"meta protocol arp arp saddr ether != {_mac}", default, AclAction.Deny);
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

    static string Match(AclRule rule)
    {
        // The remote is where a frame from the guest goes to, and where one to the guest comes from.
        var (far, near) = rule.Direction == AclDirection.Outbound ? ("d", "s") : ("s", "d");
        List<string> parts = [];
        if (rule.Remote is not null && AclRemote.Parse(rule.Remote) is { } remote)
        {
            parts.Add(remote.Match(far + "addr"));
        }

        if (rule.Protocol is { } protocol)
        {
            parts.Add($"meta l4proto {Number(protocol)}");
        }

        if (rule.RemotePort is { } there)
        {
            parts.Add($"th {far}port {Number(there)}");
        }

        if (rule.LocalPort is { } here)
        {
            parts.Add($"th {near}port {Number(here)}");
        }

        return string.Join(' ', parts);
    }

    static (string Comment, string Text) Rule(string name, string match, RuleCount count, AclAction action)
    {
        var comment = count.Given == 0 ? name : $"{name}{Base}{Number(count.Given)}";
        var verdict = action == AclAction.Allow ? "accept" : "drop";
        return (name, $"{match} counter packets {Number(count.Sum)} bytes 0 {verdict} comment \"{comment}\"");
    }

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
