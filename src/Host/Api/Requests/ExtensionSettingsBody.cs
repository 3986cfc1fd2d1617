using ControlPlane.Messages;

namespace ControlPlane.Host.Api.Requests;

/// <summary>Reads the settings of an extension; each extension uses its own of them.</summary>
static class ExtensionSettingsBody
{
    const int TextMax = 128;
    const int VerdictsMax = 256;
    const int OidsMax = 64;
    const int SavesMax = 128;
    const int SaveTextMax = 70_000;

    public static ExtensionSettings Read(Body body)
    {
        var settings = new ExtensionSettings(
            (int?)body.NumberOrNull("maxPorts", int.MinValue, int.MaxValue),
            body.TruthOrNull("allowSpoofing"),
            body.ObjectsOrNull("verdicts", VerdictsMax)?.Select(Verdict).ToList(),
            (int?)body.NumberOrNull("mtuHeadroom", 0, ushort.MaxValue),
            body.TextOrNull("originates", TextMax) is { } oid ? Oid(body, "originates", oid) : null,
            body.TruthOrNull("changesPayload"),
            Oids(body, "pends"),
            Oids(body, "throws"),
            body.TextsOrNull("owns", OidsMax, TextMax),
            body.TextsOrNull("saves", SavesMax, SaveTextMax),
            body.TruthOrNull("attachFails"),
            body.TextOrNull("asksRestart", TextMax) is { } restart ? Oid(body, "asksRestart", restart) : null,
            body.TextOrNull("indicates", TextMax));
        body.Done();
        return settings;
    }

    static PlannedVerdict Verdict(Body body)
    {
        var verdict = new PlannedVerdict(
            Oid(body, "oid", body.Text("oid", TextMax)),
            NdisStatusNames.Parse(body.Text("status", TextMax)) ?? throw body.Wrong("verdict.status", "status is the name of an NDIS status.", "status"),
            (int)(body.NumberOrNull("times", 1, int.MaxValue) ?? 1));
        body.Done();
        return verdict;
    }

    static List<OidCode>? Oids(Body body, string field) => body.TextsOrNull(field, OidsMax, TextMax)?.Select(text => Oid(body, field, text)).ToList();

    static OidCode Oid(Body body, string field, string text) =>
        OidCode.Parse(text) ?? throw body.Wrong("oid.unknown", $"{field} is the name of an OID or 0x and eight digits.", field);
}
