using System.Text;
using System.Text.Json;
using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches.Extensions;

/// <summary>
/// test.verdict, for conformance: answers listed OIDs with the listed status, that many times; pends, owns, saves and
/// restores as it is told; and breaks the contract on request.
/// </summary>
public sealed class TestVerdict : IExtension
{
    public string Name => "test.verdict";

    public ExtensionClass? Class => null;

    public ExtensionAnswer Ask(OidRequest request, in StackView view)
    {
        var settings = view.Settings;
        if (settings.Throws?.Contains(request.Oid) == true)
        {
            throw new InvalidOperationException($"{request.Oid} is planned to fail");
        }
        if (settings.Originates is { } own)
        {
            _ = view.Originate(own, own == OidCode.NicRequest ? request.Parameters as NicRequestParameters : null);
        }
        if (settings.Indicates is { } status)
        {
            _ = view.Indicate(request.PortId, request.NicIndex, status);
        }
        var verdicts = settings.Verdicts ?? [];
        for (var i = 0; i < verdicts.Count; i++)
        {
            if (verdicts[i].Oid == request.Oid && view.Used.GetValueOrDefault(Stack.UseKey(view.Position, i)) < verdicts[i].Times)
            {
                return new ExtensionAnswer(Completes: verdicts[i].Status, Uses: i);
            }
        }
        var initialising = request is { Parameters: NicParameters { NicType: NicType.Synthetic } nic }
            && request.Oid == OidCode.NicCreate && nic.Flags?.Contains("NicInitializing") == true;
        return Answer(request, view) with
        {
            Mtu = initialising && settings.MtuHeadroom is { } headroom ? ((NicParameters)request.Parameters!).Mtu - headroom : null,
            ChangesPayload = settings.ChangesPayload == true,
            AsksRestart = settings.AsksRestart == request.Oid,
        };
    }

    static ExtensionAnswer Answer(OidRequest request, in StackView view) => request.Parameters switch
    {
        _ when view.Settings.Pends?.Contains(request.Oid) == true => ExtensionAnswer.Pend,
        PropertyParameters property when Owns(view, property.PropertyId) => Own(property, view),
        FeatureStatusParameters feature when Owns(view, feature.FeatureStatusId) =>
            ExtensionAnswer.Status(request, Text($"{view.Class} {feature.FeatureStatusId}")),
        NicRestoreParameters blob when blob.ExtensionId == view.Id => new ExtensionAnswer(Completes: NdisStatus.Success).Keeping(
            StackView.ForNic(request.PortId, request.NicIndex),
            $"{view.KeptFor(request.PortId, request.NicIndex)}[{Encoding.UTF8.GetString(Convert.FromBase64String(blob.Data))}]"),
        _ when request.Oid == OidCode.NicSave && view.SavedRounds < (view.Settings.Saves?.Count ?? 0) =>
            ExtensionAnswer.Save(request, Encoding.UTF8.GetBytes(view.Settings.Saves![view.SavedRounds])),
        _ => ExtensionAnswer.PassOn,
    };

    /// <summary>A forwarder completes a custom property of its own, everybody else passes it on (switch.md 2.5).</summary>
    static ExtensionAnswer Own(PropertyParameters property, in StackView view) =>
        new(Completes: view.Class == ExtensionClass.Forward && property.PropertyType == PropertyType.Custom ? NdisStatus.Success : null)
        {
            Owns = true,
        };

    static bool Owns(in StackView view, string? id) => view.Settings.Owns?.Contains(id ?? "", StringComparer.OrdinalIgnoreCase) == true;

    static JsonElement Text(string text) => JsonSerializer.SerializeToElement(text, SavedJson.Default.String);

    public AttachAnswer Attach(in StackView view) =>
        view.Settings.AttachFails == true
            ? AttachAnswer.Done with { Fails = NdisStatus.Failure, Detail = "it is planned to fail" }
            : AttachAnswer.Done with
            {
                Keeps =
                [
                    new(StackView.ForSwitch, FormattableString.Invariant($"attached to {view.Ports.Count} ports, active {view.IsActive}")),
                ],
            };
}
