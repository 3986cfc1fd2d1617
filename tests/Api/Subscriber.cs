using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.Json;

namespace ControlPlane.Api.Tests;

/// <summary>A reader of /v1/watch that keeps up.</summary>
static class Subscriber
{
    public static async Task<HttpResponseMessage> Open(HttpClient http, RunningControlPlane plane, string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(plane.Address, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", plane.Token);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    public static async Task<List<(string Id, string Actor)>> Read(HttpResponseMessage stream, int count)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var parser = SseParser.Create(await stream.Content.ReadAsStreamAsync(patience.Token));
        var seen = new List<(string, string)>();
        await foreach (var item in parser.EnumerateAsync(patience.Token))
        {
            seen.Add((parser.LastEventId, JsonElement.Parse(item.Data).Text("actor")!));
            if (seen.Count == count)
            {
                break;
            }
        }
        return seen;
    }
}
