using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports.Properties;

/// <summary>Reads an access list: <c>{"rules": […]}</c>, or the rules alone. Addresses are given back in their canonical form.</summary>
static class AclValue
{
    const string Rule = "switch.md 1.5";
    const int TextMax = 64;
    const int Tcp = 6;
    const int Udp = 17;

    public static (PropertyValue? Value, PropertyFault? Fault) Read(JsonElement? value)
    {
        if (value is { ValueKind: JsonValueKind.Array } bare)
        {
            return Rules(bare, "value");
        }
        var fields = new ValueFields(value, "value", Rule);
        if (fields.Find("rules") is not { ValueKind: JsonValueKind.Array } rules)
        {
            fields.Wrong("rules", "is needed: an array of rules");
            return (null, fields.Fault);
        }
        return fields.Done() is { } fault ? (null, fault) : Rules(rules, "value.rules");
    }

    static (PropertyValue?, PropertyFault?) Rules(JsonElement array, string path)
    {
        if (array.GetArrayLength() > PortPolicy.AclsMax)
        {
            return (null, PropertyFault.Wrong(path, Rule, $"{path} has at most {PortPolicy.AclsMax} rules."));
        }
        var rules = new List<AclRule>();
        foreach (var item in array.EnumerateArray())
        {
            var (rule, fault) = One(new ValueFields(item, $"{path}[{rules.Count}]", Rule));
            if (rule is null)
            {
                return (null, fault);
            }
            rules.Add(rule);
        }
        return (new PropertyValue.Acl(rules), null);
    }

    static (AclRule?, PropertyFault?) One(ValueFields fields)
    {
        var direction = fields.Word("direction", ("inbound", AclDirection.Inbound), ("outbound", AclDirection.Outbound));
        fields.Require(direction is not null, "direction", "is needed: inbound or outbound");
        var action = fields.Word("action", ("allow", AclAction.Allow), ("deny", AclAction.Deny));
        fields.Require(action is not null, "action", "is needed: allow or deny");
        string? remote = null;
        if (fields.Text("remote", TextMax) is { } text)
        {
            remote = RemoteAddress.Parse(text)?.Text;
            fields.Require(remote is not null, "remote", "is a MAC, an IP address, or a prefix such as 10.0.0.0/8 without bits outside of it");
        }
        var protocol = fields.Number("protocol", 0, byte.MaxValue);
        var remotePort = fields.Number("remotePort", 1, ushort.MaxValue);
        var localPort = fields.Number("localPort", 1, ushort.MaxValue);
        fields.Require(
            (remotePort ?? localPort) is null || protocol is Tcp or Udp, "protocol", $"is {Tcp} or {Udp} where a port is given");
        return fields.Done() is { } fault
            ? (null, fault)
            : (new AclRule(direction!.Value, action!.Value, remote, protocol, remotePort, localPort), null);
    }
}
