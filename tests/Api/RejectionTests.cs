using System.Text.Json;

namespace ControlPlane.Api.Tests;

[Collection(Shared.Name)]
public sealed class RejectionTests(RunningControlPlane plane)
{
    const int Burst = 200;

    /// <summary>Fewer than the door lets wait for one entity: none is turned away there.</summary>
    const int AtOnce = 40;

    [Fact]
    public async Task A_burst_of_illegal_oids_is_answered_one_by_one_and_audited_in_few_events_that_count_all()
    {
        var sw = await plane.Switch();
        var began = TimeProvider.System.GetTimestamp();

        var all = new List<Told>();
        foreach (var some in Enumerable.Range(0, Burst).Chunk(AtOnce))
        {
            all.AddRange(await Task.WhenAll(some.Select(n => plane.Oid(sw, "OID_SWITCH_NIC_CONNECT", 3, requestId: $"burst-{n}"))));
        }
        var seconds = (int)TimeProvider.System.GetElapsedTime(began).TotalSeconds + 1;

        Assert.All(all, told => Assert.Equal((409, "port.absent", "X01"), (told.Status, told.Code, told.Body.Text("rule"))));
        var path = $"/v1/events?actor=switch/hv01/{sw}&limit=1000";
        var page = await plane.Until(path, page => Whole(page).Count() + Coalesced(page).Sum(Count) == Burst);
        Assert.InRange(Whole(page).Count(), 1, 10 * seconds);
        Assert.InRange(Coalesced(page).Count(), 1, seconds);
        Assert.All(Coalesced(page), told => Assert.Equal(told.Text("who"), told.GetProperty("body").Text("caller")));

        // The recorded answer, and nothing new.
        var before = page.GetProperty("items").GetArrayLength();
        Assert.Equal((409, "port.absent"), Of(await plane.Oid(sw, "OID_SWITCH_NIC_CONNECT", 3, requestId: $"burst-{Burst - 1}")));
        Assert.Equal(before, (await plane.Get(path)).Body.GetProperty("items").GetArrayLength());
    }

    static IEnumerable<JsonElement> Whole(JsonElement page) => Of(page, "OidRejected");

    static IEnumerable<JsonElement> Coalesced(JsonElement page) => Of(page, "OidRejectionsCoalesced");

    static IEnumerable<JsonElement> Of(JsonElement page, string type) =>
        page.GetProperty("items").EnumerateArray().Where(happened => happened.Text("type") == type);

    static int Count(JsonElement told) => told.GetProperty("body").GetProperty("count").GetInt32();

    static (int, string?) Of(Told told) => (told.Status, told.Code);
}
