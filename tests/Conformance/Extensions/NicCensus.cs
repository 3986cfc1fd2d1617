using ControlPlane.Actors.Switches.Extensions;
using ControlPlane.Messages;

namespace ControlPlane.Tests.Conformance;

/// <summary>filter.census: no NIC is created while so many are connected that nobody could answer for one more.</summary>
public sealed class NicCensus : IExtension
{
    public string Name => "filter.census";

    public ExtensionClass? Class => ExtensionClass.Filter;

    public ExtensionAnswer Ask(OidRequest request, in StackView view)
    {
        if (request.Oid != OidCode.NicCreate || request.NicIndex != 0 || view.Settings.MaxPorts is not { } max)
        {
            return ExtensionAnswer.PassOn;
        }
        var listed = view.Originate(OidCode.NicArray);
        var connected = listed.Output?.GetProperty("elements").EnumerateArray().Count(nic => nic.GetProperty("nicState").GetString() == "Connected");
        return connected < max ? ExtensionAnswer.PassOn : ExtensionAnswer.Refuse(NdisStatus.Resources); // a list that is not there counts as full
    }
}
