using System.Collections.Frozen;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches.Extensions;

/// <summary>The extensions that a switch's definition may name.</summary>
public static class BuiltIn
{
    public static FrozenDictionary<string, IExtension> All { get; } =
        new IExtension[]
        {
            new Mirror(), new Quota(), new MacGuard(), new Acl(), new VlanForwarder(), new LearningForwarder(), new TestVerdict(),
        }.ToFrozenDictionary(extension => extension.Name);
}

/// <summary>capture.mirror: observes.</summary>
public sealed class Mirror : IExtension
{
    public string Name => "capture.mirror";

    public ExtensionClass? Class => ExtensionClass.Capture;

    public ExtensionAnswer Ask(OidRequest request, in StackView view) => ExtensionAnswer.PassOn;
}

/// <summary>filter.quota: refuses the port that would be one too many.</summary>
public sealed class Quota : IExtension
{
    public string Name => "filter.quota";

    public ExtensionClass? Class => ExtensionClass.Filter;

    public ExtensionAnswer Ask(OidRequest request, in StackView view) =>
        request.Oid == OidCode.PortCreate && view.Settings.MaxPorts is { } max && view.Ports.Count >= max
            ? ExtensionAnswer.Refuse(NdisStatus.Resources)
            : ExtensionAnswer.PassOn;
}

/// <summary>
/// filter.mac-guard: refuses a NIC whose address is missing, a group address, another NIC's of this switch, or not its
/// own permanent one, unless allowSpoofing is set.
/// </summary>
public sealed class MacGuard : IExtension
{
    public string Name => "filter.mac-guard";

    public ExtensionClass? Class => ExtensionClass.Filter;

    public ExtensionAnswer Ask(OidRequest request, in StackView view)
    {
        if (request.Oid != OidCode.NicCreate || request.NicIndex != 0 || view.Settings.AllowSpoofing == true
            || request.Parameters is not NicParameters { NicType: NicType.Synthetic or NicType.Emulated } nic)
        {
            return ExtensionAnswer.PassOn;
        }
        var mac = MacAddress.Canonical(nic.PermanentMacAddress);
        var taken = view.Ports.Values.SelectMany(port => port.Nics.Values).Any(other => other.Mac is not null && other.Mac == mac);
        var current = MacAddress.Canonical(nic.CurrentMacAddress);
        return mac is null || IsGroup(mac) || taken || (current is not null && current != mac)
            ? ExtensionAnswer.Refuse()
            : ExtensionAnswer.PassOn;
    }

    /// <summary>The lowest bit of the first byte marks a group address.</summary>
    static bool IsGroup(string mac) => "13579bdf".Contains(mac[1], StringComparison.Ordinal);
}
