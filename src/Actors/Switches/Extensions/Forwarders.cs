using ControlPlane.Messages;

namespace ControlPlane.Actors.Switches.Extensions;

/// <summary>forward.vlan: a forwarder that takes VLANs: the data path enforces them, and it says that they are its own.</summary>
public sealed class VlanForwarder : IExtension
{
    public string Name => "forward.vlan";

    public ExtensionClass? Class => ExtensionClass.Forward;

    public ExtensionAnswer Ask(OidRequest request, in StackView view) =>
        ExtensionRights.IsPortProperty(request.Oid) && request.Parameters is PropertyParameters { PropertyType: PropertyType.Vlan }
            ? new ExtensionAnswer { Owns = true } // a standard property is passed on even when it is handled (switch.md 2.5)
            : ExtensionAnswer.PassOn;
}

/// <summary>
/// forward.learning: a forwarder that knows addresses and no VLANs. It keeps the addresses that were learned behind each
/// NIC, and has them saved and restored with the NIC.
/// </summary>
public sealed class LearningForwarder : IExtension
{
    const int Version = 1;

    public string Name => "forward.learning";

    public ExtensionClass? Class => ExtensionClass.Forward;

    public ExtensionAnswer Ask(OidRequest request, in StackView view)
    {
        var (oid, scope) = (request.Oid, StackView.ForNic(request.PortId, request.NicIndex));
        if ((oid == OidCode.PortPropertyAdd || oid == OidCode.PortPropertyUpdate)
            && request.Parameters is PropertyParameters { PropertyType: PropertyType.Vlan })
        {
            return ExtensionAnswer.Refuse(); // V10
        }
        var known = Known(view, scope);
        if (oid == OidCode.NicConnect || oid == OidCode.NicUpdated)
        {
            var nic = view.Ports.GetValueOrDefault(request.PortId)?.Nics.GetValueOrDefault(request.NicIndex);
            var given = request.Parameters as NicParameters;
            return ExtensionAnswer.PassOn.Keeping(scope, Table(known, [
                nic?.Mac, nic?.CurrentMac, MacAddress.Canonical(given?.PermanentMacAddress),
                MacAddress.Canonical(given?.CurrentMacAddress)]));
        }
        if (oid == OidCode.NicDisconnect)
        {
            return ExtensionAnswer.PassOn.Keeping(scope, null); // nothing is sent to it any more
        }
        if (oid == OidCode.NicSave && view.SavedRounds == 0)
        {
            var table = new LearnedTable(Version, Union(known, view.Runtime?.Learned ?? []));
            return table.Learned.Count == 0
                ? ExtensionAnswer.PassOn
                : ExtensionAnswer.Save(request, SavedJson.Write(table, SavedJson.Default.LearnedTable));
        }
        return request.Parameters is NicRestoreParameters blob && blob.ExtensionId == view.Id
            ? Restore(blob, known, scope)
            : ExtensionAnswer.PassOn;
    }

    /// <summary>A switch that lives already has NICs: their own addresses are what is known of them.</summary>
    public AttachAnswer Attach(in StackView view)
    {
        var kept = view.Kept;
        return AttachAnswer.Done with
        {
            Keeps = [.. view.Ports.Values.SelectMany(
                port => port.Nics, (port, nic) => (Scope: StackView.ForNic(port.PortId, nic.Key), Nic: nic.Value))
                .Where(on => on.Nic.State == "Connected" && !kept.ContainsKey(on.Scope))
                .Select(on => new KeyValuePair<string, string?>(on.Scope, Table([], [on.Nic.Mac, on.Nic.CurrentMac])))],
        };
    }

    static ExtensionAnswer Restore(NicRestoreParameters blob, IReadOnlyList<string> known, string scope) =>
        SavedJson.ReadBlob(blob.Data, SavedJson.Default.LearnedTable) is { Version: Version, Learned: not null } table
            ? ExtensionAnswer.Restore(new NicRuntimePart(Learned: table.Learned)).Keeping(scope, Table(known, table.Learned))
            : ExtensionAnswer.Refuse();

    static IReadOnlyList<string> Known(in StackView view, string scope) =>
        SavedJson.Read(view.Kept.GetValueOrDefault(scope), SavedJson.Default.LearnedTable)?.Learned ?? [];

    static string Table(IReadOnlyList<string> known, IEnumerable<string?> more) =>
        SavedJson.Text(new LearnedTable(Version, Union(known, more.OfType<string>())), SavedJson.Default.LearnedTable);

    static List<string> Union(IReadOnlyList<string> known, IEnumerable<string> more) =>
        [.. known.Concat(more).Distinct(StringComparer.Ordinal).Take(NicRuntime.LearnedMax).Order(StringComparer.Ordinal)];
}

/// <summary>What forward.learning keeps and saves of a NIC: addresses in lower case with colons, in order.</summary>
sealed record LearnedTable(int Version, IReadOnlyList<string> Learned);
