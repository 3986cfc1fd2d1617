using System.Text;
using ControlPlane.Messages;

namespace ControlPlane.DriverLinux;

/// <summary>
/// Transactions about port rules, as text for the library. A device's frames find its chains by a map, so a frame costs
/// the same with one port and with thousands. What is replaced and what replaces it are in one transaction.
/// </summary>
static class RuleText
{
    /// <summary>The comment of the two rules that lead into the maps.</summary>
    public const string Dispatch = "ports";

    const string Family = "bridge " + Ruleset.Table;

    /// <summary>
    /// The table, its maps and the two chains that the kernel calls: where a frame enters from a port, before the bridge
    /// learns its source, and where it leaves through one.
    /// </summary>
    public static void Base(StringBuilder text)
    {
        text.Append("add table ").AppendLine(Family);
        Hook(text, Ruleset.Outbound, "prerouting", "iifname");
        Hook(text, Ruleset.Inbound, "postrouting", "oifname");
    }

    /// <param name="now">What is there now.</param>
    /// <param name="counts">The counts on which the counters go on.</param>
    public static string Replace(PortRules port, RulesetView now, RuleCounts? counts)
    {
        var text = new StringBuilder();
        if (!now.Whole)
        {
            Base(text);
        }

        Chain(text, port, port.Outbound, AclDirection.Outbound, counts);
        Chain(text, port, port.Inbound, AclDirection.Inbound, counts);
        Lead(text, Ruleset.Outbound, port.Device, now.Chain(Ruleset.Outbound, port.Device), port.Outbound);
        Lead(text, Ruleset.Inbound, port.Device, now.Chain(Ruleset.Inbound, port.Device), port.Inbound);
        Delete(text, now.Owned(port.Device).Except([port.Outbound, port.Inbound]));
        return text.ToString();
    }

    /// <summary>Empty when there is nothing to remove.</summary>
    public static string Remove(string device, RulesetView now)
    {
        var text = new StringBuilder();
        foreach (var map in now.Maps.Keys.Where(map => now.Chain(map, device) is not null))
        {
            text.AppendLine($"delete element {Family} {map} {{ {device} }}");
        }

        Delete(text, now.Owned(device));
        return text.ToString();
    }

    static void Hook(StringBuilder text, string name, string hook, string device) => text
        .AppendLine($"add map {Family} {name} {{ type ifname : verdict; }}")
        .AppendLine($"add chain {Family} {name} {{ type filter hook {hook} priority -200; policy accept; }}")
        .AppendLine($"flush chain {Family} {name}")
        .AppendLine($"add rule {Family} {name} {device} vmap @{name} comment \"{Dispatch}\"");

    static void Chain(StringBuilder text, PortRules port, string chain, AclDirection direction, RuleCounts? counts)
    {
        // One that is there already is filled anew.
        text.AppendLine($"add chain {Family} {chain}").AppendLine($"flush chain {Family} {chain}");
        foreach (var (_, rule) in port.Rules(direction, counts))
        {
            text.AppendLine($"add rule {Family} {chain} {rule}");
        }
    }

    static void Lead(StringBuilder text, string map, string device, string? from, string to)
    {
        if (from == to)
        {
            return;
        }

        if (from is not null)
        {
            text.AppendLine($"delete element {Family} {map} {{ {device} }}");
        }

        text.AppendLine($"add element {Family} {map} {{ {device} : jump {to} }}");
    }

    static void Delete(StringBuilder text, IEnumerable<string> chains)
    {
        foreach (var chain in chains)
        {
            text.AppendLine($"delete chain {Family} {chain}");
        }
    }
}
