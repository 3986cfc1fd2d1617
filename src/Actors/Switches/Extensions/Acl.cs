using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches.Extensions;

/// <summary>
/// filter.acl: the access list of a port is its own (<see cref="PropertyIds.Acl"/>); the data path enforces it
/// rule by rule. What the rules have decided so far goes along when a NIC is saved and restored.
/// </summary>
public sealed class Acl : IExtension
{
    const int Version = 1;

    public string Name => "filter.acl";

    public ExtensionClass? Class => ExtensionClass.Filter;

    public ExtensionAnswer Ask(OidRequest request, in StackView view) => request.Parameters switch
    {
        PropertyParameters { PropertyType: PropertyType.Custom } property when ExtensionRights.IsPortProperty(request.Oid)
            && string.Equals(property.PropertyId, PropertyIds.Acl, StringComparison.OrdinalIgnoreCase) =>
                new ExtensionAnswer { Owns = true },
        NicRestoreParameters blob when blob.ExtensionId == view.Id => Restore(request, blob),
        _ when request.Oid == OidCode.NicSave && view.SavedRounds == 0 => Save(request, view),
        _ => ExtensionAnswer.PassOn,
    };

    static ExtensionAnswer Save(OidRequest request, in StackView view)
    {
        var counters = view.Runtime is { } read
            ? new AclCounters(Version, read.SpoofedDropped, read.AclHits)
            : SavedJson.Read(view.KeptFor(request.PortId, request.NicIndex), SavedJson.Default.AclCounters);
        return counters is null or { SpoofedDropped: 0, AclHits.Count: 0 }
            ? ExtensionAnswer.PassOn
            : ExtensionAnswer.Save(request, SavedJson.Write(counters, SavedJson.Default.AclCounters));
    }

    static ExtensionAnswer Restore(OidRequest request, NicRestoreParameters blob) =>
        SavedJson.ReadBlob(blob.Data, SavedJson.Default.AclCounters) is { Version: Version, AclHits: not null } counters
            ? ExtensionAnswer.Restore(new NicRuntimePart(SpoofedDropped: counters.SpoofedDropped, AclHits: counters.AclHits))
                .Keeping(StackView.ForNic(request.PortId, request.NicIndex), SavedJson.Text(counters, SavedJson.Default.AclCounters))
            : ExtensionAnswer.Refuse();
}

/// <summary>What filter.acl saves of a NIC.</summary>
sealed record AclCounters(int Version, long SpoofedDropped, IReadOnlyList<long> AclHits);
