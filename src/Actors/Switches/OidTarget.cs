using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>What an OID of a switch is about. Only what concerns more than one port is judged here: ids and names.</summary>
abstract record OidTarget
{
    OidTarget()
    {
    }

    /// <summary>A port, and the NIC on it where the OID is about one.</summary>
    public sealed record Object(uint PortId, EntityId Port, EntityId? Nic) : OidTarget;

    /// <summary>The switch itself, or an OID that is observed and forwarded: below the extensions the switch answers it.</summary>
    public sealed record Switch : OidTarget;

    public sealed record Illegal(Refusal Refusal) : OidTarget;

    public static OidTarget Find(SwitchState.Here s, OidRequest request)
    {
        var oid = request.Oid;
        if (oid == OidCode.PortCreate)
        {
            return NewPort(s, request);
        }
        if (IsAboutPort(oid) || IsAboutNic(oid))
        {
            return OnPort(s, request);
        }
        if (oid == OidCode.NicRequest)
        {
            return NicRequest(s, request);
        }
        if (ExtensionRights.IsSwitchProperty(oid))
        {
            return SwitchProperty(request);
        }
        if (ExtensionRights.IsFeatureStatus(oid))
        {
            return FeatureStatus(s, request);
        }
        return new Switch(); // queries; the codes of NDIS 6.50 and 6.80 and unknown ones are observed and forwarded (switch.md 5.1)
    }

    /// <summary>Built-in policies of a switch are never announced: what is sent is custom (switch.md 1.5).</summary>
    static OidTarget SwitchProperty(OidRequest request) => request.Parameters switch
    {
        not PropertyParameters => Missing("parameters"),
        PropertyParameters { PropertyType: not PropertyType.Custom } =>
            Wrong("property.type", "A property of a switch is custom.", "parameters.propertyType"),
        PropertyParameters { PropertyId: null or "" } => Missing("parameters.propertyId"),
        _ => new Switch(),
    };

    static OidTarget FeatureStatus(SwitchState.Here s, OidRequest request) =>
        request.Parameters is not FeatureStatusParameters { FeatureStatusId.Length: > 0 }
            ? Missing("parameters.featureStatusId")
        : request.Oid == OidCode.PortFeatureStatusQuery && !s.Ports.ContainsKey(request.PortId)
            ? Rejected("port.absent", $"There is no port {request.PortId}.", "X25", "NotCreated")
        : new Switch();

    static OidTarget NewPort(SwitchState.Here s, OidRequest request)
    {
        if (request.Parameters is not PortParameters { PortName.Length: > 0 } parameters)
        {
            return Missing("parameters.portName");
        }
        var name = Names.Key(parameters.PortName, Names.PortMax);
        if (request.PortId != 0 && s.Ports.ContainsKey(request.PortId))
        {
            return Rejected("port.create.exists", $"Port {request.PortId} exists.", "X13", "Created");
        }
        if (s.Ports.Values.Any(port => port.Name == name))
        {
            return Rejected("port.create.name", $"A port named {parameters.PortName} exists.", "X15", "Created");
        }
        return new Object(request.PortId != 0 ? request.PortId : FreeId(s), EntityId.Port(s.Id.Parts[0], s.Id.Parts[1], name), null);
    }

    /// <summary>The next id that no port has; a peer may have chosen any, the highest too.</summary>
    static uint FreeId(SwitchState.Here s)
    {
        var id = s.NextPortId;
        while (id == 0 || s.Ports.ContainsKey(id))
        {
            id = id == uint.MaxValue ? 1 : id + 1;
        }
        return id;
    }

    static OidTarget OnPort(SwitchState.Here s, OidRequest request)
    {
        var oid = request.Oid;
        var port = request.PortName is { } name
            ? s.Ports.Values.FirstOrDefault(known => known.Name == Names.Key(name, Names.PortMax))
            : s.Ports.GetValueOrDefault(request.PortId);
        if (port is null)
        {
            return Rejected(
                "port.absent", $"There is no port {request.PortName ?? $"{request.PortId}"}.", IsAboutNic(oid) ? "X01" : "X25",
                "NotCreated");
        }
        if (oid == OidCode.NicCreate)
        {
            return NewNic(s, port, request);
        }
        if (!IsAboutNic(oid))
        {
            return new Object(port.PortId, port.Id, null);
        }
        if (oid == OidCode.NicRestore && request.Parameters is not NicRestoreParameters { ExtensionId.Length: > 0 })
        {
            return Missing("parameters.extensionId");
        }
        return !port.Nics.TryGetValue(request.NicIndex, out var nic)
            ? Rejected(
                "nic.absent", $"There is no NIC {request.NicIndex} on port {port.PortId}.",
                oid == OidCode.NicConnect ? "X02" : oid == OidCode.NicSave ? "S09" : oid == OidCode.NicRestore ? "M08" : "O04", "Absent")
            : OutOfOrder(port, request) ?? (OidTarget)new Object(port.PortId, port.Id, nic.Id);
    }

    /// <summary>An external adapter and the physical ones below it start and stop in an order (switch.md 3.4 G7, G8).</summary>
    static Illegal? OutOfOrder(SwitchPort port, OidRequest request)
    {
        var (oid, index) = (request.Oid, request.NicIndex);
        var state = port.Nics.TryGetValue(0, out var first) ? first.State : "Absent";
        if (index > 0 && oid == OidCode.NicCreate && first is null)
        {
            return Rejected("nic.create.no-default", "The adapter with index 0 is created first.", "G7", state);
        }
        if (index > 0 && oid == OidCode.NicConnect && state != "Connected")
        {
            return Rejected("nic.connect.no-default", "The adapter with index 0 is connected first.", "G7", state);
        }
        var physical = index == 0 && port.Nics.Keys.Any(other => other > 0);
        return physical && oid == OidCode.NicDisconnect
                ? Rejected("nic.disconnect.physical-present", "The physical adapters are deleted first.", "G8", state)
            : physical && oid == OidCode.NicDelete
                ? Rejected("nic.delete.physical-present", "The physical adapters are deleted first.", "G8", state)
            : null;
    }

    /// <summary>Sent only while both ends are connected, or still referenced from when they were (switch.md 2.8, R17).</summary>
    static OidTarget NicRequest(SwitchState.Here s, OidRequest request)
    {
        if (request.Parameters is not NicRequestParameters { } nic)
        {
            return Missing("parameters");
        }
        return !Reaches(s, nic.SourcePortId, nic.SourceNicIndex)
                ? Rejected("nic-request.source", "The NIC that it is made for is not connected.", "R17", "Absent")
            : !Reaches(s, nic.DestinationPortId, nic.DestinationNicIndex)
                ? Rejected("nic-request.destination", "The NIC that it is for is not connected.", "R17", "Absent")
            : new Switch();
    }

    /// <summary>The address is nobody's NIC, or one that is connected or still referenced.</summary>
    public static bool Reaches(SwitchState.Here s, uint portId, int index) =>
        portId == 0 || (s.Ports.TryGetValue(portId, out var port) && port.Nics.TryGetValue(index, out var nic)
            && (nic.State == "Connected" || s.Holds.ContainsValue(nic.Id)));

    static OidTarget NewNic(SwitchState.Here s, SwitchPort port, OidRequest request)
    {
        if (request.Parameters is not NicParameters nic)
        {
            return Missing("parameters");
        }
        if (request.NicIndex == 0 && nic.NicType == NicType.External && s.Ports.Values.Any(other =>
            other.PortId != port.PortId && other.Nics.TryGetValue(0, out var known) && known.Type == NicType.External))
        {
            return Rejected("nic.create.second-external", "The switch has an external adapter.", "X20", "Created");
        }
        if (port.Type == PortType.External && request.NicIndex <= 32 && OutOfOrder(port, request) is { } tooEarly)
        {
            return tooEarly;
        }
        if (nic.NicType is NicType.External or NicType.Internal)
        {
            return new Object(port.PortId, port.Id, EntityId.HostNic(s.Id.Parts[0], s.Id.Parts[1], port.Name, request.NicIndex));
        }
        return nic is { VmName: { Length: > 0 } vm, NicName.Length: > 0 }
            ? new Object(port.PortId, port.Id, NicOf(vm, nic.NicName))
            : Missing("parameters.vmName");
    }

    /// <summary>A VM NIC is known by VM and NIC: the peer's "VM--NIC" (switch.md 1.4) gives the second part.</summary>
    static EntityId NicOf(string vm, string nicName)
    {
        var prefix = $"{vm}--";
        var nic = nicName.StartsWith(prefix, StringComparison.Ordinal) && nicName.Length > prefix.Length
            ? nicName[prefix.Length..]
            : nicName;
        return EntityId.Nic(Names.Key(vm), Names.Key(nic));
    }

    static bool IsAboutPort(OidCode oid) =>
        oid == OidCode.PortTeardown || oid == OidCode.PortDelete || oid == OidCode.PortUpdated || oid == OidCode.PortPropertyAdd
        || oid == OidCode.PortPropertyUpdate || oid == OidCode.PortPropertyDelete || oid == OidCode.PortPropertyEnum;

    static bool IsAboutNic(OidCode oid) => oid == OidCode.NicCreate || oid == OidCode.NicDelete || IsForNic(oid);

    /// <summary>The NIC judges it itself; NIC_CREATE and NIC_DELETE go through its port.</summary>
    public static bool IsForNic(OidCode oid) =>
        oid == OidCode.NicConnect || oid == OidCode.NicUpdated || oid == OidCode.NicDisconnect || IsTransfer(oid);

    /// <summary>A step of a save or restore.</summary>
    public static bool IsTransfer(OidCode oid) =>
        oid == OidCode.NicSave || oid == OidCode.NicSaveComplete || oid == OidCode.NicRestore || oid == OidCode.NicRestoreComplete;

    static Illegal Wrong(string code, string detail, string field) =>
        new(new Refusal(RefusalKind.Unprocessable, code, detail, "switch.md 1.5", Field: field));

    static Illegal Missing(string field) =>
        new(new Refusal(RefusalKind.Unprocessable, "oid.parameters", $"The OID needs {field}.", "O13", Field: field));

    static Illegal Rejected(string code, string detail, string rule, string state) => new(Refusal.Illegal(code, detail, rule, state));
}
