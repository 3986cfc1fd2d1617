using ControlPlane.Host.Composition;

namespace ControlPlane.Api.Tests;

/// <summary>Who sends too slowly or tries too often, against bounds that are shortened where they are times.</summary>
public sealed class TooMuchTests : IAsyncLifetime
{
    readonly Shift _time = new();
    readonly RunningControlPlane _plane;

    // Over a second, the step in which the server looks at its connections.
    public TooMuchTests() => _plane = new RunningControlPlane
    {
        Time = _time,
        Options = new NodeOptions { Port = 0, Driver = "simulated", BodyGrace = TimeSpan.FromSeconds(1.1) },
    };

    public Task InitializeAsync() => _plane.InitializeAsync();

    public Task DisposeAsync() => _plane.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task B3_a_body_slower_than_240_bytes_a_second_is_answered_408_and_closed(int bytesEach50Milliseconds)
    {
        using var connection = await RawConnection.Open(_plane.Address);
        await connection.Send(
            $"PUT /v1/hosts/hv01/switches/slow HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {_plane.Token}\r\n"
            + "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{\"kind\":\"private\"}");
        using var answered = new CancellationTokenSource();
        var dripping = Drip(connection, new string(' ', bytesEach50Milliseconds), answered.Token);

        var answer = await connection.ReadToEnd();

        await answered.CancelAsync();
        await dripping;
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"body.slow\"", answer, StringComparison.Ordinal);
        Assert.Contains("At least 240 bytes per second", answer, StringComparison.Ordinal);
        Assert.Equal(404, (await _plane.Get("/v1/hosts/hv01/switches/slow")).Status);
    }

    [Fact]
    public async Task B59_after_a_hundred_failed_log_ins_the_source_is_refused_for_a_minute()
    {
        for (var n = 0; n < 100; n++)
        {
            Assert.Equal(401, (await LogIn("wrong")).Status);
        }

        foreach (var token in (string[])["wrong", _plane.Token])
        {
            var told = await LogIn(token);
            Assert.Equal((429, "auth.attempts"), (told.Status, told.Code));
            Assert.Equal(TimeSpan.FromSeconds(60), told.Response.Headers.RetryAfter?.Delta);
        }

        _time.By = TimeSpan.FromSeconds(61);
        Assert.Equal(401, (await LogIn("wrong")).Status);
        Assert.Equal(200, (await LogIn(_plane.Token)).Status);
    }

    Task<Told> LogIn(string token)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_plane.Address, "/v1/hosts"));
        request.Headers.Authorization = new("Bearer", token);
        return _plane.Raw(request);
    }

    static async Task Drip(RawConnection connection, string drop, CancellationToken answered)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            while (drop.Length > 0 && await connection.Send(drop))
            {
                await pace.WaitForNextTickAsync(answered);
            }
        }
        catch (OperationCanceledException)
        {
            // It was answered.
        }
    }

    /// <summary>The clock of this machine, set forward.</summary>
    sealed class Shift : TimeProvider
    {
        public TimeSpan By { get; set; }

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + By;

        public override long GetTimestamp() => System.GetTimestamp() + (long)(By.TotalSeconds * TimestampFrequency);
    }
}
