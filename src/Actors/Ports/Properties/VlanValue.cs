using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Ports.Properties;

/// <summary>Reads the VLAN property (switch.md 2.1). The fields of access and trunk may stand beside each other, as in the structure.</summary>
static class VlanValue
{
    const string Rule = "switch.md 2.1";

    enum Mode
    {
        Access = 1,
        Trunk = 2,
        Private = 3,
    }

    public static (PropertyValue? Value, PropertyFault? Fault) Read(JsonElement? value)
    {
        var fields = new ValueFields(value, "value", Rule);
        var mode = fields.Word("operationMode", ("access", Mode.Access), ("trunk", Mode.Trunk), ("private", Mode.Private));
        fields.Require(mode is not null, "operationMode", "is needed: access, trunk or private");
        VlanPolicy? policy = mode switch
        {
            Mode.Access => Access(fields),
            Mode.Trunk => Trunk(fields),
            Mode.Private => Private(fields),
            _ => null,
        };
        return fields.Done() is { } fault || policy is null ? (null, fields.Fault) : (new PropertyValue.Vlan(policy), null);
    }

    static VlanPolicy.Access? Access(ValueFields fields)
    {
        var id = fields.Number("accessVlanId", VlanIds.Min, VlanIds.Max);
        fields.Require(id is not null, "accessVlanId");
        _ = fields.Number("nativeVlanId", 0, VlanIds.Max);
        _ = VlanIds.Read(fields, "trunkVlanIds");
        _ = VlanIds.Read(fields, "pruneVlanIds");
        return id is { } access ? new VlanPolicy.Access(access) : null;
    }

    static VlanPolicy.Trunk? Trunk(ValueFields fields)
    {
        _ = fields.Number("accessVlanId", 0, VlanIds.Max);
        var native = fields.Number("nativeVlanId", 0, VlanIds.Max) ?? 0;
        var (trunk, prune) = (VlanIds.Read(fields, "trunkVlanIds"), VlanIds.Read(fields, "pruneVlanIds"));
        if (trunk is null || prune is null)
        {
            return null;
        }
        fields.Require(fields.Find("trunkVlanIds") is not null, "trunkVlanIds", "is needed: the ids that the guest may use");
        return new VlanPolicy.Trunk(native, VlanIds.Ranges(trunk.Except(prune))); // prune wins over trunk
    }

    static VlanPolicy.Private? Private(ValueFields fields)
    {
        var kind = fields.Word("pvlanMode",
            ("isolated", PrivateVlanMode.Isolated), ("community", PrivateVlanMode.Community), ("promiscuous", PrivateVlanMode.Promiscuous));
        fields.Require(kind is not null, "pvlanMode", "is needed: isolated, community or promiscuous");
        var primary = fields.Number("primaryVlanId", VlanIds.Min, VlanIds.Max);
        fields.Require(primary is not null, "primaryVlanId");
        var one = fields.Number("secondaryVlanId", VlanIds.Min, VlanIds.Max);
        if (VlanIds.Read(fields, "secondaryVlanIds") is not { } secondaries || kind is not { } mode || primary is not { } main)
        {
            return null;
        }
        if (one is { } only)
        {
            fields.Require(secondaries.Count == 0, "secondaryVlanId", "and secondaryVlanIds are not both given");
            secondaries.Add(only);
        }
        fields.Require(secondaries.Count > 0, mode == PrivateVlanMode.Promiscuous ? "secondaryVlanIds" : "secondaryVlanId");
        fields.Require(mode == PrivateVlanMode.Promiscuous || secondaries.Count == 1, "secondaryVlanIds", "has one id on an isolated or community port");
        fields.Require(!secondaries.Contains(main), "primaryVlanId", "is no secondary id");
        return fields.Fault is null ? new VlanPolicy.Private(mode, main, [.. secondaries]) : null;
    }
}
