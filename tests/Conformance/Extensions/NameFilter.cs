using System.Globalization;
using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>filter.names: ports are named as the switch's property says.</summary>
public sealed class NameFilter : IExtension
{
    public const string Prefix = "3b1d9a52-6a0e-4a55-9d8e-0d6a4d3f2c11";

    public string Name => "filter.names";

    public ExtensionClass? Class => ExtensionClass.Filter;

    public ExtensionAnswer Ask(OidRequest request, in StackView view)
    {
        if (request.Oid == OidCode.PropertyAdd && request.Parameters is PropertyParameters { PropertyId: Prefix } property)
        {
            return new ExtensionAnswer { Owns = true }.Keeping(StackView.ForSwitch, property.Value?.GetString());
        }
        if (request.Oid == OidCode.PortCreate && request.Parameters is PortParameters port
            && view.KeptForSwitch is { } prefix && !port.PortName.StartsWith(prefix, StringComparison.Ordinal))
        {
            return ExtensionAnswer.Refuse();
        }
        if (request.Oid == OidCode.NicConnect)
        {
            return ExtensionAnswer.PassOn.Keeping(StackView.ForNic(request.PortId, request.NicIndex), "connected");
        }
        return ExtensionAnswer.PassOn;
    }

    public AttachAnswer Attach(in StackView view) => AttachAnswer.Done with
    {
        Keeps = [new("found", view.Ports.Count.ToString(CultureInfo.InvariantCulture))],
    };
}
