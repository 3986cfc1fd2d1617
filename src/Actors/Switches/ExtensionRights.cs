using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches;

/// <summary>Who may do what with which OID (switch.md 1.2, 2.5, 2.8, 4.1), and what breaking it is called.</summary>
static class ExtensionRights
{
    /// <summary>
    /// An error of this extension ends the OID. Capture never; NIC_CREATE for index 0 only; of what NIC_REQUEST carries
    /// the four kinds that take something, and only by a forwarder; a save or a restore by whoever answers it.
    /// </summary>
    public static bool MayRefuse(OidRequest request, ExtensionDefinition by) =>
        by.Class != ExtensionClass.Capture
        && (request.Oid == OidCode.NicRequest
            ? by.Class == ExtensionClass.Forward && request.Parameters is NicRequestParameters { InnerOid.RefusableInside: true }
            : request.Oid == OidCode.NicSave ? true
            : request.Oid == OidCode.NicRestore ? IsOwn(request, by)
            : request.Oid.Refusable && !(request.Oid == OidCode.NicCreate && request.NicIndex != 0));

    /// <summary>The OID ends at this extension, answered: the edge need not see it.</summary>
    public static bool MayComplete(OidRequest request, ExtensionDefinition by, ExtensionAnswer answer)
    {
        if (by.Class == ExtensionClass.Capture)
        {
            return false;
        }
        var (oid, status) = (request.Oid, answer.Completes);
        var tooSmall = status is NdisStatus.InvalidLength or NdisStatus.BufferTooShort && answer.BytesNeeded is > 0; // both: switch.md 8.21
        return IsProperty(oid) ? status == NdisStatus.Success && by.Class == ExtensionClass.Forward && answer.Owns
                && request.Parameters is PropertyParameters { PropertyType: PropertyType.Custom }
            : IsFeatureStatus(oid)
                ? tooSmall || (status == NdisStatus.Success && answer.Output is { } output && PayloadSizes.Bytes(output) <= Passage.KeptMax)
            : oid == OidCode.NicSave ? tooSmall || (status == NdisStatus.Success && answer.Saves is not null)
            : oid == OidCode.NicRestore ? status == NdisStatus.Success && IsOwn(request, by)
            : oid == OidCode.NicRequest && status == NdisStatus.Success
                && by.Class == ExtensionClass.Forward; // it sent one of its own instead
    }

    /// <summary>What of an answer breaks the contract; the OID goes on as if it had not been said.</summary>
    /// <param name="lowersMtu">The MTU was lowered as it may be.</param>
    public static IEnumerable<(string Rule, string Detail)> Faults(
        OidRequest request, ExtensionDefinition by, ExtensionAnswer answer, bool lowersMtu)
    {
        var oid = request.Oid;
        if (answer.Completes is { } status)
        {
            if (status == NdisStatus.Success || !MayRefuse(request, by))
            {
                if (!MayComplete(request, by, answer))
                {
                    yield return Completed(request, by, status);
                }
            }
            else if (oid == OidCode.PropertyDelete || oid == OidCode.PortPropertyDelete)
            {
                yield return ("V18", $"refused {oid}; the property is kept, and not everybody expects that (switch.md 8.4)");
            }
        }
        if (answer.ChangesPayload || (answer.Mtu is not null && !lowersMtu))
        {
            yield return (oid == OidCode.NicRestore ? "S14" : "X29", $"changed the payload of {oid}; the original went on");
        }
        if (answer.Owns && by.Class == ExtensionClass.Capture)
        {
            yield return ("V03", $"a capture extension enforces nothing; it said that the property of {oid} was its own");
        }
        if (by.Class == ExtensionClass.Forward && IsVlanChange(request) && !answer.Owns && !answer.Pends
            && answer.Completes is null or NdisStatus.Success)
        {
            yield return ("V10", $"a forwarder that does not enforce VLANs refuses them; it passed {oid} on");
        }
    }

    /// <summary>
    /// Why this extension may not send this OID down itself while it handles the other, or null. "Never originate PORT_*/NIC_*
    /// lifecycle OIDs or property ADD/UPDATE/DELETE" (switch.md 2.3.3, X26): a set of a port, a NIC or a property is nobody's,
    /// a forwarder's neither; what the protocol edge alone issues (2.0) is not an extension's either. "Query and set" of a
    /// forwarder are kinds of what NIC_REQUEST carries (1.2).
    /// </summary>
    public static (string Rule, string Detail)? Origination(SwitchState.Here s, OidRequest handled, OidRequest own, ExtensionDefinition by)
    {
        var oid = own.Oid;
        return oid == OidCode.NicRequest ? Encapsulated(s, handled, own, by)
            : oid == OidCode.Parameters || oid == OidCode.PortArray || oid == OidCode.NicArray || oid == OidCode.PropertyEnum
                || oid == OidCode.PortPropertyEnum ? null
            : IsProperty(oid) || IsLifecycle(oid) ? ("X26", $"tried to originate {oid}, which an extension never may")
            : ("switch.md 2.0", $"tried to originate {oid}, which the protocol edge alone issues");
    }

    /// <summary>
    /// switch.md 2.8. From the extension itself or the VM that it acts for, to an adapter below the external one; capture
    /// and filter only ask (1.2), and an offload is a forwarder's while it filters the same one from above.
    /// </summary>
    static (string, string)? Encapsulated(SwitchState.Here s, OidRequest handled, OidRequest own, ExtensionDefinition by) =>
        own.Parameters switch
        {
            not NicRequestParameters => ("switch.md 2.8", "originated a NIC_REQUEST that carries nothing"),
            NicRequestParameters to when to.DestinationNicIndex == 0
                || s.Ports.GetValueOrDefault(to.DestinationPortId)?.Type != PortType.External =>
                ("switch.md 2.8",
                    $"originated {to.InnerOid} for {to.DestinationPortId}/{to.DestinationNicIndex}, "
                    + "which is no adapter below the external one"),
            NicRequestParameters { SourcePortId: 0, SourceNicIndex: not 0 } from =>
                ("switch.md 2.8", $"originated {from.InnerOid} from 0/{from.SourceNicIndex}, which is neither its own nor a VM's"),
            NicRequestParameters from when from.SourcePortId != 0
                && s.Ports.GetValueOrDefault(from.SourcePortId)?.Type is null or PortType.External or PortType.Internal =>
                ("switch.md 2.8",
                    $"originated {from.InnerOid} from {from.SourcePortId}/{from.SourceNicIndex}, which is neither its own nor a VM's"),
            NicRequestParameters { InnerOid.Offload: true } inner when by.Class != ExtensionClass.Forward =>
                ("switch.md 1.2",
                    $"originated {inner.InnerOid}; a {by.Class.ToString().ToLowerInvariant()} extension originates queries alone"),
            NicRequestParameters { InnerOid.Offload: true } inner when handled.Parameters is not NicRequestParameters same
                || same.InnerOid != inner.InnerOid =>
                ("switch.md 2.8", $"originated {inner.InnerOid} while it handled another OID"),
            _ => null,
        };

    /// <summary>
    /// Why this extension may not indicate this status, or null: a forwarder alone does (switch.md 1.2), for a VM's NIC or, for
    /// the adapter side, from the external port and index 0 (2.8).
    /// </summary>
    public static (string Rule, string Detail)? Indication(
        SwitchState.Here s, ExtensionDefinition by, uint portId, int index, string status) =>
        by.Class != ExtensionClass.Forward ? ("switch.md 1.2", $"a {by.Class.ToString().ToLowerInvariant()} extension indicates no status")
        : status.Length is 0 or > Originations.StatusMax ? ("originated.status", $"a status has 1 to {Originations.StatusMax} characters")
        : index != 0 || s.Ports.GetValueOrDefault(portId) is { Type: PortType.Internal } || portId == 0
            ? ("switch.md 2.8", $"indicated a status for {portId}/{index}, which is neither a VM's NIC nor the external adapter")
        : null;

    static bool IsLifecycle(OidCode oid) =>
        oid == OidCode.PortCreate || oid == OidCode.PortUpdated || oid == OidCode.PortTeardown || oid == OidCode.PortDelete
        || oid == OidCode.NicCreate || oid == OidCode.NicConnect || oid == OidCode.NicUpdated || oid == OidCode.NicDisconnect
            || oid == OidCode.NicDelete;

    /// <summary>The blob that a NIC_RESTORE carries is this extension's.</summary>
    public static bool IsOwn(OidRequest request, ExtensionDefinition by) =>
        request.Parameters is NicRestoreParameters blob
            && string.Equals(blob.ExtensionId, ExtensionIds.Guid(by), StringComparison.OrdinalIgnoreCase);

    public static bool IsProperty(OidCode oid) => IsPortProperty(oid) || IsSwitchProperty(oid);

    public static bool IsPortProperty(OidCode oid) =>
        oid == OidCode.PortPropertyAdd || oid == OidCode.PortPropertyUpdate || oid == OidCode.PortPropertyDelete;

    public static bool IsSwitchProperty(OidCode oid) =>
        oid == OidCode.PropertyAdd || oid == OidCode.PropertyUpdate || oid == OidCode.PropertyDelete;

    public static bool IsFeatureStatus(OidCode oid) => oid == OidCode.FeatureStatusQuery || oid == OidCode.PortFeatureStatusQuery;

    static bool IsVlanChange(OidRequest request) =>
        (request.Oid == OidCode.PortPropertyAdd || request.Oid == OidCode.PortPropertyUpdate)
        && request.Parameters is PropertyParameters { PropertyType: PropertyType.Vlan };

    static (string, string) Completed(OidRequest request, ExtensionDefinition by, NdisStatus status) =>
        status == NdisStatus.Success && (request.Oid == OidCode.PortCreate || request.Oid == OidCode.NicCreate)
            ? ("X27", $"completed {request.Oid} itself with success; the OID went on")
        : by.Class == ExtensionClass.Capture && status != NdisStatus.Success
            ? ("V03", $"a capture extension may not refuse {request.Oid}; the OID went on")
        : request is { Parameters: NicRequestParameters inner } && request.Oid == OidCode.NicRequest
            ? ("V24", $"answered {request.Oid} of {inner.InnerOid} with {status.Name()}, which it may not; the OID went on")
        : request.Oid == OidCode.NicSaveComplete || request.Oid == OidCode.NicRestoreComplete
            ? ("S08", $"answered {request.Oid} with {status.Name()}; it is always passed on")
            : ("X28", $"completed {request.Oid} itself with {status.Name()}; the OID went on");
}
