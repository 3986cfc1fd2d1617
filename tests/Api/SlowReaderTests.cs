using System.Text.Json;
using ControlPlane.Host.Composition;

namespace ControlPlane.Api.Tests;

/// <summary>B67: a subscriber that does not read is closed, keeps a cursor, and loses nothing by going on from it.</summary>
public sealed class SlowReaderTests
{
    /// <summary>What the system takes in for a subscriber that does not read: enough for some events, and far from all.</summary>
    const int ReceiveBuffer = 64 * 1024;

    const int Writers = 8;

    [Fact]
    public async Task B67_a_reader_that_is_stuck_is_closed_and_goes_on_from_the_last_event_that_it_read()
    {
        await using var run = await Run.Start(new WatchLimits(BehindMax: int.MaxValue, WriteMax: TimeSpan.FromMilliseconds(300)));
        var (stream, head) = await run.Watch();
        using var stuck = stream;

        // A closed connection shows itself to who sends, also when nothing is read.
        await run.Change(until: async () => !await stuck.Send("\r\n"));
        var read = Events(head + await stuck.ReadToEnd());

        Assert.NotEmpty(read);
        Assert.DoesNotContain("event: slow", read[^1], StringComparison.Ordinal);
        await run.NothingIsLost(read.Select(IdOf).ToList(), resumeAfter: IdOf(read[^1]));
    }

    [Fact]
    public async Task B67_a_reader_too_far_behind_is_told_its_cursor_and_closed()
    {
        await using var run = await Run.Start(new WatchLimits(BehindMax: 200, WriteMax: TimeSpan.FromMinutes(1)));
        var (stream, head) = await run.Watch();
        using var slow = stream;
        var changes = 0;

        await run.Change(until: () => Task.FromResult(++changes > 800 / Writers));
        var read = Events(head + await slow.ReadToEnd());

        var told = read[^1];
        Assert.StartsWith("event: slow\ndata: ", told, StringComparison.Ordinal);
        var cursor = JsonElement.Parse(told[(told.IndexOf("data: ", StringComparison.Ordinal) + 6)..]).Text("cursor")!;
        read.RemoveAt(read.Count - 1);
        Assert.Equal(IdOf(read[^1]), cursor);
        await run.NothingIsLost(read.Select(IdOf).ToList(), cursor);
    }

    /// <summary>The whole events of a stream; what was cut off at its end is none.</summary>
    static List<string> Events(string stream)
    {
        var body = stream[(stream.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        return [.. body[..(body.LastIndexOf("\n\n", StringComparison.Ordinal) + 2)]
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(part => !part.StartsWith(':'))];
    }

    static string IdOf(string happened) => happened.Split('\n')[0]["id: ".Length..];

    /// <summary>A control plane whose VMs are defined again and again, each time as a large event.</summary>
    sealed class Run(RunningControlPlane plane) : IAsyncDisposable
    {
        const string Path = "/v1/watch?type=VmDefined";

        static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

        readonly HttpClient _http = new();

        public static async Task<Run> Start(WatchLimits limits)
        {
            var plane = new RunningControlPlane { Options = new NodeOptions { Port = 0, Driver = "simulated", Watch = limits } };
            await plane.InitializeAsync();
            return new Run(plane);
        }

        public async ValueTask DisposeAsync()
        {
            _http.Dispose();
            await plane.DisposeAsync();
        }

        /// <summary>HTTP/1.0, so that the events are not in chunks.</summary>
        public async Task<(RawConnection Stream, string Head)> Watch()
        {
            var stream = await RawConnection.Open(plane.Address, ReceiveBuffer);
            await stream.Send($"GET {Path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {plane.Token}\r\n\r\n");
            return (stream, await stream.ReadUntil(": watching after "));
        }

        public async Task Change(Func<Task<bool>> until)
        {
            var began = TimeProvider.System.GetTimestamp();
            for (var n = 0; !await until(); n++)
            {
                Assert.True(TimeProvider.System.GetElapsedTime(began) < Patience, $"still open after {n * Writers} events");
                await Task.WhenAll(Enumerable.Range(0, Writers).Select(Define));
            }
        }

        /// <summary>What was read and what comes after the cursor are together every event, each once and in order.</summary>
        public async Task NothingIsLost(List<string> read, string resumeAfter)
        {
            var all = new List<string>();
            string? token = null;
            do
            {
                var page = (await plane.Get($"/v1/events?type=VmDefined&limit=1000{(token is null ? "" : $"&pageToken={token}")}")).Body;
                all.AddRange(page.GetProperty("items").EnumerateArray().Select(happened => happened.Text("cursor")!));
                token = page.Text("nextPageToken");
            }
            while (token is not null);

            using var resumed = await Subscriber.Open(_http, plane, Path, resumeAfter);
            Assert.True(read.Count < all.Count, "it read everything");
            Assert.Equal(all, [.. read, .. (await Subscriber.Read(resumed, all.Count - read.Count)).Select(happened => happened.Id)]);
        }

        async Task Define(int vm)
        {
            var nics = Enumerable.Range(0, 64).Select(n => new { name = $"{new string('n', 50)}-{n}", @switch = new string('s', 60) });
            Assert.InRange((await plane.Put($"/v1/vms/slow-{vm}", new { host = "hv01", nics })).Status, 200, 201);
        }
    }
}
